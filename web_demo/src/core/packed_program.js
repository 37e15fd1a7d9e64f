/** The program of a packed file, which writes the model from front to back (docs/packed-format.md, sections 2 to 4). */
import { damaged } from "./packed_model.js";
import { Groups } from "./packed_groups.js";

const OPERATIONS = [null, "COPY", "FILL", "SPEC", "BITS", "TRITS", "RAW", "SCALES", "BIAS_SCALES", "BIASES", "WORDS",
  "BLOCKS", "LEVELS", "LEVEL_BITS"]; // prettier-ignore
const LAST = [0, 10, 11, 13]; // operation of each version
const STEM = 147; // weights of a filter of 7x7 pixels and 3 colours
const BLOCKS = 192; // bytes of the same on blocks of pixels
const ON = 0x7f; // int8 +127
const OFF = 0x81; // int8 -127
const USED_UP = ["copy0", "copy1", "copy2", "copy3", "bias_low", "bias_high", "bits", "trits", "raw", "levels"];

/** Where each weight of a stem on pixels stands in the stem on blocks. */
const BLOCK_PLACES = Array.from({ length: STEM }, (_, i) => {
  const r = Math.floor(i / 21) + 1;
  const c = Math.floor((i % 21) / 3) + 1;
  return 48 * (r >> 1) + 12 * (c >> 1) + 6 * (r & 1) + 3 * (c & 1) + (i % 3);
});

/** A list of varints. */
class Numbers {
  /**
   * @param {Uint8Array} bytes
   * @param {string} name Of the file.
   */
  constructor(bytes, name) {
    this.bytes = bytes;
    this.at = 0;
    this.name = name;
  }

  get ended() {
    return this.at === this.bytes.length;
  }

  next() {
    let value = 0;
    for (let i = 0; i < 5; i++) {
      if (this.ended) throw damaged(this.name, "its program is cut short");
      const byte = this.bytes[this.at++];
      value += (byte & 0x7f) * 2 ** (7 * i);
      if (byte < 0x80) {
        if (value > 0xffffffff) break;
        return value;
      }
    }
    throw damaged(this.name, "a number is too large");
  }
}

/** The output and the places in all sections. */
class Writer {
  /**
   * @param {Record<string, Uint8Array>} sections
   * @param {number} size
   * @param {string} name
   */
  constructor(sections, size, name) {
    this.sections = sections;
    this.out = new Uint8Array(size);
    this.view = new DataView(this.out.buffer);
    this.name = name;
    this.p = 0;
    /** @type {Record<string, number>} */
    this.places = {};
    this.groups = new Groups(sections, name);
  }

  /**
   * The next bytes of a section.
   * @param {string} section
   * @param {number} count
   */
  take(section, count) {
    const at = this.places[section] ?? 0;
    if (at + count > this.sections[section].length) throw damaged(this.name, `its section ${section} ends early`);
    this.places[section] = at + count;
    return this.sections[section].subarray(at, at + count);
  }

  /**
   * Room for so many bytes, at least one.
   * @param {number} count
   */
  room(count) {
    if (count < 1 || this.p + count > this.out.length) throw damaged(this.name, "its program writes too much");
  }

  /** @param {ArrayLike<number>} bytes */
  put(bytes) {
    this.room(bytes.length);
    this.out.set(bytes, this.p);
    this.p += bytes.length;
  }

  /** @param {number} count */
  copy(count) {
    this.room(count);
    for (let left = count; left > 0; left--, this.p++) this.out[this.p] = this.take(`copy${this.p % 4}`, 1)[0];
  }

  /** @param {number} count */
  words(count) {
    if (this.p % 4) throw damaged(this.name, "its words lie between words");
    const start = this.p;
    this.copy(4 * count);
    for (let q = start + 4; q < this.p; q += 4) {
      this.view.setUint32(q, this.view.getUint32(q, true) + this.view.getUint32(q - 4, true), true);
    }
  }

  /** @param {number} count */
  bits(count) {
    this.room(count);
    const bytes = this.take("bits", Math.ceil(count / 8));
    for (let i = 0; i < count; i++) this.out[this.p++] = (bytes[i >> 3] >> (i & 7)) & 1 ? ON : OFF;
  }

  /** @param {number} count */
  trits(count) {
    this.room(count);
    const bytes = this.take("trits", Math.ceil(count / 5));
    for (let i = 0, rest = 0; i < count; i++) {
      if (i % 5 === 0) rest = bytes[i / 5];
      if (i % 5 === 0 && rest > 242) throw damaged(this.name, "its ternary kernels");
      this.out[this.p++] = [OFF, 0, ON][rest % 3];
      rest = Math.floor(rest / 3);
    }
  }

  /** @param {number} filters */
  blocks(filters) {
    this.room(BLOCKS * filters);
    for (let f = 0; f < filters; f++, this.p += BLOCKS) {
      const weights = this.take("raw", STEM);
      for (let i = 0; i < STEM; i++) this.out[this.p + BLOCK_PLACES[i]] = weights[i];
    }
  }

  /**
   * @param {number} width Bits of a weight.
   * @param {number} count
   */
  levelBits(width, count) {
    if (width < 2 || width > 8) throw damaged(this.name, "its k-bit kernels");
    this.room(count);
    const bytes = this.take("levels", Math.ceil((width * count) / 8));
    for (let i = 0, at = 0; i < count; i++) {
      let value = 0;
      for (let k = 0; k < width; k++, at++) value |= ((bytes[at >> 3] >> (at & 7)) & 1) << k;
      this.out[this.p++] = value >= 1 << (width - 1) ? value - (1 << width) : value;
    }
  }

  /** @param {number[]} values @param {"setFloat32" | "setInt32"} set */
  numbers(values, set) {
    this.room(4 * values.length);
    for (const value of values) {
      this.view[set](this.p, value, true);
      this.p += 4;
    }
  }
}

/**
 * The file that a program writes.
 * @param {Record<string, Uint8Array>} sections Inflated.
 * @param {number} size
 * @param {number} version
 * @param {string} name
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function expand(sections, size, version, name) {
  const writer = new Writer(sections, size, name);
  const program = new Numbers(sections.program, name);
  while (!program.ended) {
    const operation = program.next();
    if (operation < 1 || operation > LAST[version]) throw damaged(name, `its program has an operation ${operation}`);
    run(OPERATIONS[operation] ?? "", writer, program);
  }
  const left = USED_UP.some((section) => (writer.places[section] ?? 0) !== sections[section].length);
  if (writer.p !== size || left) throw damaged(name, "its program ends early");
  link(writer, new Numbers(sections.links, name));
  return writer.out;
}

/**
 * @param {string} operation
 * @param {Writer} writer
 * @param {Numbers} program
 */
function run(operation, writer, program) {
  const { groups, sections, name } = writer;
  if (operation === "SPEC") {
    if (!sections.spec.length) throw damaged(name, "it has no description");
    return writer.put(sections.spec);
  }
  const count = program.next();
  switch (operation) {
    case "COPY": return writer.copy(count);
    case "FILL": return fill(writer, count, program.next());
    case "BITS": return writer.bits(count);
    case "TRITS": return writer.trits(count);
    case "RAW": return writer.put(writer.take("raw", count));
    case "WORDS": return writer.words(count);
    case "BLOCKS": return writer.blocks(count);
    case "LEVELS": return writer.put(writer.take("levels", count));
    case "LEVEL_BITS": return writer.levelBits(count, program.next());
    default:
  } // prettier-ignore
  groups.move(count);
  if (operation === "SCALES") return writer.numbers(groups.scales(), "setFloat32");
  if (operation === "BIAS_SCALES") return writer.numbers(groups.biasScales(), "setFloat32");
  const filters = groups.filters;
  return writer.numbers(groups.biases(writer.take("bias_low", filters), writer.take("bias_high", filters)), "setInt32");
}

/**
 * @param {Writer} writer
 * @param {number} count
 * @param {number} value
 */
function fill(writer, count, value) {
  writer.room(count);
  if (value > 255) throw damaged(writer.name, "its program fills with more than a byte");
  writer.out.fill(value, writer.p, writer.p + count);
  writer.p += count;
}

/**
 * Adds the position to each distance that the links name.
 * @param {Writer} writer
 * @param {Numbers} links
 */
function link(writer, links) {
  let q = 0;
  for (let first = true; !links.ended; first = false) {
    const step = links.next();
    q += 4 * step;
    if ((step === 0 && !first) || q + 4 > writer.out.length) throw damaged(writer.name, "its links");
    writer.view.setUint32(q, writer.view.getUint32(q, true) + q, true);
  }
}
