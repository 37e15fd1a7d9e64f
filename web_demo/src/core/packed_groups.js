/** Scales and biases of convolutions, from 16-bit floats (docs/packed-format.md, section 3). */
import { damaged } from "./packed_model.js";

const RECORD = 12; // bytes of a group
const MOST = 2 ** 31 - 1;

/** All groups of a file, of which one is the present. */
export class Groups {
  /**
   * @param {Record<string, Uint8Array>} sections
   * @param {string} name
   */
  constructor(sections, name) {
    this.name = name;
    this.low = sections.scale_low;
    this.high = sections.scale_high;
    this.groups = this.parse(sections.groups);
    this.present = 0;
  }

  /** @param {Uint8Array} bytes */
  parse(bytes) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const groups = [];
    let first = 0;
    for (let at = 0; at + RECORD <= bytes.length; at += RECORD) {
      const filters = view.getUint32(at, true);
      const step = view.getFloat64(at + 4, true);
      if (filters < 1 || !(step > 0) || !Number.isFinite(step)) throw damaged(this.name, "its groups");
      groups.push({ filters, step, first });
      first += filters;
    }
    if (bytes.length % RECORD || this.low.length !== first || this.high.length !== first) {
      throw damaged(this.name, "its groups");
    }
    return groups;
  }

  /** @param {number} argument Of an operation: a signed step between groups. */
  move(argument) {
    this.present += argument % 2 ? -(argument + 1) / 2 : argument / 2;
    if (!this.groups[this.present]) throw damaged(this.name, "its groups");
  }

  /** Of the present group. */
  get filters() {
    return this.groups[this.present].filters;
  }

  /** Largest value of each filter. */
  largest() {
    const { first, filters } = this.groups[this.present];
    return Array.from({ length: filters }, (_, i) => {
      const bits = this.low[first + i] | (this.high[first + i] << 8);
      const { value, whole } = half(bits);
      if (whole || !(value > 0)) throw damaged(this.name, "its scales");
      return value;
    });
  }

  scales() {
    return this.largest().map((value) => this.float(value / 127));
  }

  steps() {
    const { step } = this.groups[this.present];
    return this.largest().map((value) => step * (value / 127));
  }

  biasScales() {
    return this.steps().map((value) => this.float(value));
  }

  /**
   * @param {Uint8Array} low
   * @param {Uint8Array} high
   */
  biases(low, high) {
    return this.steps().map((step, i) => {
      const { value, whole } = half(low[i] | (high[i] << 8));
      const steps = whole ? value : Math.sign(value) * Math.floor(Math.abs(value) / step + 0.5);
      if (!(Math.abs(steps) <= MOST)) throw damaged(this.name, "its biases");
      return steps;
    });
  }

  /** @param {number} value */
  float(value) {
    const rounded = Math.fround(value);
    if (rounded === 0 || !Number.isFinite(rounded)) throw damaged(this.name, "its scales");
    return rounded;
  }
}

/**
 * A 16-bit float; of the largest exponent it stands for a whole number.
 * @param {number} bits
 */
function half(bits) {
  const sign = bits >> 15 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return { value: sign * fraction, whole: true };
  if (exponent === 0) return { value: sign * fraction * 2 ** -24, whole: false };
  return { value: sign * (1024 + fraction) * 2 ** (exponent - 25), whole: false };
}
