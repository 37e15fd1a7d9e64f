/**
 * Reads `.cunet`, the packed file (docs/packed-format.md): header, checks, sections, and what it expands to.
 *
 * @typedef {import("./types.js").Description} Description
 */
import { parseDescription } from "./description.js";
import { expand } from "./packed_program.js";
import { ReadableError } from "./readable_error.js";

const MARK = [0x43, 0x55, 0x4e, 0x45, 0x54, 0x0d, 0x0a, 0x1a];
const NEWEST = 3;
const LEAST_BYTES = 172;
const HEADER = 48; // bytes before the lengths of the sections
const MIB = 1 << 20;
const NAMES = [
  "spec", "program", "groups", "links", "copy0", "copy1", "copy2", "copy3", "scale_low", "scale_high", "bias_low",
  "bias_high", "bits", "trits", "raw", "levels",
]; // prettier-ignore
const FREE = new Set(["copy0", "copy1", "copy2", "copy3", "bits", "trits", "raw", "levels"]); // of any length
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, i) => {
  let value = i;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/**
 * @typedef {{version: number, size: number, sha256: Uint8Array, sections: {name: string, plain: number, bytes: Uint8Array}[]}} Container
 */

/**
 * A model file's bytes as TensorFlow Lite's, and the model's description.
 * @param {Uint8Array} file
 * @param {string} name Of the file, for messages.
 * @returns {Promise<{tflite: Uint8Array<ArrayBuffer>, description: Description}>}
 */
export async function readModel(file, name) {
  const { tflite, spec } = await expanded(file, name);
  return { tflite, description: parseDescription(spec, name) };
}

/**
 * What a packed file expands to, and its description as it is stored.
 * @param {Uint8Array} file
 * @param {string} name Of the file, for messages.
 */
export async function expanded(file, name) {
  const container = open(file, name);
  /** @type {Record<string, Uint8Array>} */
  const sections = { levels: new Uint8Array() };
  for (const section of container.sections) sections[section.name] = await inflated(section, name);
  const tflite = expand(sections, container.size, container.version, name);
  if (!globalThis.crypto?.subtle) {
    throw new ReadableError(
      "This page has to come from https or from localhost: elsewhere browsers cannot check files.",
    );
  }
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", tflite));
  if (!digest.every((byte, i) => byte === container.sha256[i])) throw damaged(name, "it expands to something else");
  return { tflite, spec: sections.spec };
}

/**
 * @param {string} name
 * @param {string} why
 */
export function damaged(name, why) {
  return new ReadableError(`${name} is damaged (${why}): load or export it again.`);
}

/**
 * Header and sections, before anything is inflated.
 * @param {Uint8Array} file
 * @param {string} name
 * @returns {Container}
 */
function open(file, name) {
  if (file.length < LEAST_BYTES || MARK.some((byte, i) => file[i] !== byte)) {
    throw new ReadableError(`${name} is no .cunet file: make one with cunet export --format=packed-float-io.`);
  }
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const version = view.getUint16(8, true);
  if (version > NEWEST)
    throw new ReadableError(`${name} is of version ${version}: this page is older, use a newer one.`);
  const count = version === NEWEST ? NAMES.length : NAMES.length - 1;
  const size = view.getUint32(12, true);
  if (version < 1 || view.getUint16(10, true) !== count || size < 1 || size > 64 * MIB)
    throw damaged(name, "its header");
  if (file.length < HEADER + 4 + 8 * count) throw damaged(name, "it is cut short");
  const sections = cut(file, view, count);
  if (sections === null) throw damaged(name, "it is cut short");
  if (crc32(file.subarray(0, -4)) !== view.getUint32(file.length - 4, true)) throw damaged(name, "its checksum");
  checkLengths(sections, size, name);
  return { version, size, sha256: file.subarray(16, 48), sections };
}

/**
 * The sections, or null where their lengths are not the file's.
 * @param {Uint8Array} file
 * @param {DataView} view
 * @param {number} count
 */
function cut(file, view, count) {
  let at = HEADER + 8 * count;
  const sections = [];
  for (let i = 0; i < count; i++) {
    const stored = view.getUint32(HEADER + 8 * i, true);
    const plain = view.getUint32(HEADER + 8 * i + 4, true);
    sections.push({ name: NAMES[i], plain, bytes: file.subarray(at, at + stored) });
    at += stored;
  }
  return at + 4 === file.length ? sections : null;
}

/**
 * @param {Container["sections"]} sections
 * @param {number} size
 * @param {string} name
 */
function checkLengths(sections, size, name) {
  let all = 0;
  for (const { name: section, plain, bytes } of sections) {
    const most = section === "program" ? MIB / 4 : FREE.has(section) ? Infinity : MIB;
    if (bytes.length > plain || plain > most) throw damaged(name, `its section ${section}`);
    all += plain;
  }
  if (all > size + 4 * MIB) throw damaged(name, "its sections");
}

/**
 * @param {Container["sections"][number]} section
 * @param {string} name
 * @returns {Promise<Uint8Array>}
 */
async function inflated({ name: section, plain, bytes }, name) {
  if (bytes.length === plain) return bytes;
  const out = new Uint8Array(plain);
  let at = 0;
  try {
    const stream = new Blob([/** @type {Uint8Array<ArrayBuffer>} */ (bytes)]).stream();
    const reader = stream.pipeThrough(new DecompressionStream("deflate")).getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      if (at + part.value.length > plain) throw new RangeError("longer than it says");
      out.set(part.value, at);
      at += part.value.length;
    }
  } catch {
    throw damaged(name, `its section ${section}`);
  }
  if (at !== plain) throw damaged(name, `its section ${section}`);
  return out;
}

/**
 * Zlib's.
 * @param {Uint8Array} bytes
 */
export function crc32(bytes) {
  let value = 0xffffffff;
  for (const byte of bytes) value = CRC_TABLE[(value ^ byte) & 0xff] ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}
