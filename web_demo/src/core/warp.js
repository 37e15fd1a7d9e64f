/**
 * The crop: reduction, then bilinear interpolation in float32 with fused multiply-adds, black outside; byte for byte
 * what OpenCV 5 gives (docs/ports.md, section 3).
 *
 * @typedef {import("./types.js").Picture} Picture
 * @typedef {import("./types.js").Matrix} Matrix
 */
import { apply, inverse } from "./geometry.js";
import { fused, roundHalfEven } from "./numbers.js";

const CHANNELS = 3;
const PIXEL = 4; // bytes of one in a picture
const SMALL = 0.5; // zoom below which a picture is reduced first

/**
 * A square crop of a side.
 * @param {Picture} picture
 * @param {Matrix} toCrop
 * @param {number} side
 * @returns {Uint8Array} Three bytes a pixel, row by row.
 */
export function crop(picture, toCrop, side) {
  const zoom = Math.hypot(toCrop[0], toCrop[1]);
  if (zoom >= SMALL) return bilinear(picture, inverse(toCrop), side);
  const factor = Math.min(Math.floor(1 / zoom), picture.width, picture.height);
  const shift = (factor - 1) / 2; // the centre of reduced pixel u is factor u + shift
  const [a, b, , d, e] = toCrop.map((value) => value * factor);
  const [c, f] = apply(toCrop, [shift, shift]);
  return bilinear(reduce(picture, factor), inverse([a, b, c, d, e, f]), side);
}

/**
 * Means of blocks; a rest at the right and below is cut.
 * @param {Picture} picture
 * @param {number} factor
 * @returns {Picture}
 */
export function reduce(picture, factor) {
  const width = Math.floor(picture.width / factor);
  const height = Math.floor(picture.height / factor);
  const data = new Uint8Array(width * height * PIXEL);
  const share = Math.fround(1 / (factor * factor));
  const sums = [0, 0, 0];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      sums.fill(0);
      for (let v = 0; v < factor; v++) {
        let at = ((y * factor + v) * picture.width + x * factor) * PIXEL;
        for (let u = 0; u < factor; u++, at += PIXEL) {
          for (let k = 0; k < CHANNELS; k++) sums[k] += picture.data[at + k];
        }
      }
      for (let k = 0; k < CHANNELS; k++) {
        const mean = factor === 2 ? (sums[k] + 2) >> 2 : roundHalfEven(Math.fround(sums[k] * share));
        data[(y * width + x) * PIXEL + k] = mean; // OpenCV rounds halves up for 2
      }
    }
  }
  return { width, height, data };
}

/**
 * @param {Picture} picture
 * @param {Matrix} back From the crop's pixels to the picture's.
 * @param {number} side
 */
function bilinear({ width, height, data }, back, side) {
  const [a, b, c, d, e, f] = back.map(Math.fround);
  const out = new Uint8Array(side * side * CHANNELS);
  const value = (/** @type {number} */ x, /** @type {number} */ y, /** @type {number} */ k) =>
    x >= 0 && y >= 0 && x < width && y < height ? data[(y * width + x) * PIXEL + k] : 0;
  for (let y = 0, i = 0; y < side; y++) {
    const rowX = Math.fround(Math.fround(y * b) + c);
    const rowY = Math.fround(Math.fround(y * e) + f);
    for (let x = 0; x < side; x++) {
      const sourceX = fused(x, a, rowX);
      const sourceY = fused(x, d, rowY);
      const left = Math.floor(sourceX);
      const top = Math.floor(sourceY);
      for (let k = 0; k < CHANNELS; k++) {
        const p = value(left, top, k);
        const r = value(left, top + 1, k);
        const upper = fused(Math.fround(sourceX - left), value(left + 1, top, k) - p, p);
        const lower = fused(Math.fround(sourceX - left), value(left + 1, top + 1, k) - r, r);
        out[i++] = roundHalfEven(fused(Math.fround(sourceY - top), Math.fround(lower - upper), upper));
      }
    }
  }
  return out;
}

/**
 * The mirror image of a crop.
 * @param {Uint8Array} bytes
 * @param {number} side
 */
export function mirror(bytes, side) {
  const out = new Uint8Array(bytes.length);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const from = (y * side + side - 1 - x) * CHANNELS;
      out.set(bytes.subarray(from, from + CHANNELS), (y * side + x) * CHANNELS);
    }
  }
  return out;
}
