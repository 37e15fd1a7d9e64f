/**
 * From heat maps to points in heat-map pixels (docs/ports.md, section 6).
 *
 * @typedef {import("./types.js").Point} Point
 * @typedef {import("./types.js").HeatMaps} HeatMaps
 */
import { Border } from "./border.js";
import { clamp, roundHalfEven } from "./numbers.js";
import { ReadableError } from "./readable_error.js";

const LEAST = 1e-6; // of what a logarithm is taken of

/** @type {Map<string, Border>} */
const borders = new Map();

/**
 * @param {HeatMaps} heat
 * @param {string} decoder
 * @param {number} sigma
 */
export function decode(heat, decoder, sigma) {
  const decoders = {
    argmax: (/** @type {Float32Array} */ map) => peak(map, heat.side),
    quarter: (/** @type {Float32Array} */ map) => quarter(map, heat.side),
    dark: (/** @type {Float32Array} */ map) => dark(map, heat.side, sigma),
  };
  if (!Object.hasOwn(decoders, decoder)) {
    throw new ReadableError(`This page knows no decoder ${decoder}: use a newer one.`);
  }
  return heat.maps.map(decoders[/** @type {"dark"} */ (decoder)]);
}

/**
 * The largest value of each map, 0 to 1.
 * @param {HeatMaps} heat
 */
export function scoresOf(heat) {
  return heat.maps.map((map) =>
    clamp(
      map.reduce((most, value) => Math.max(most, value), -Infinity),
      0,
      1,
    ),
  );
}

/**
 * The first of the largest cells.
 * @param {Float32Array} map
 * @param {number} side
 * @returns {Point}
 */
export function peak(map, side) {
  let best = 0;
  for (let i = 1; i < map.length; i++) if (map[i] > map[best]) best = i;
  return [best % side, Math.floor(best / side)];
}

/**
 * A quarter pixel toward the higher neighbour.
 * @param {Float32Array} map
 * @param {number} side
 * @returns {Point}
 */
function quarter(map, side) {
  const [x, y] = peak(map, side);
  const at = y * side + x;
  const inside = (/** @type {number} */ place) => place > 0 && place < side - 1;
  const dx = inside(x) ? 0.25 * Math.sign(map[at + 1] - map[at - 1]) : 0;
  const dy = inside(y) ? 0.25 * Math.sign(map[at + side] - map[at - side]) : 0;
  return [x + dx, y + dy];
}

/**
 * A fitted Gaussian (Zhang et al., "Distribution-Aware Coordinate Representation").
 * @param {Float32Array} map
 * @param {number} side
 * @param {number} sigma
 * @returns {Point}
 */
function dark(map, side, sigma) {
  const border = borderOf(sigma, side);
  const wide = side + 2; // cell (x, y) is at (x + 1, y + 1)
  const smooth = smoothed(padded(map, side), wide, kernel(sigma));
  const top = largest(smooth, wide, [1, side], [1, side]);
  const factor = (/** @type {number} */ i) =>
    Math.fround(border.weights[i % wide] * border.weights[Math.floor(i / wide)]);
  const fit = smooth.map((value, i) => value * factor(i));
  const about = Math.ceil(sigma / 1.5);
  const [x, y] = largest(fit, wide, near(top[0], about, side), near(top[1], about, side));
  const log = (/** @type {number} */ u, /** @type {number} */ v) =>
    Math.log(Math.max(fit[(y + v) * wide + x + u], LEAST));
  const gx = (log(1, 0) - log(-1, 0)) / 2;
  const gy = (log(0, 1) - log(0, -1)) / 2;
  const gxx = log(1, 0) - 2 * log(0, 0) + log(-1, 0);
  const gyy = log(0, 1) - 2 * log(0, 0) + log(0, -1);
  const gxy = (log(1, 1) - log(1, -1) - log(-1, 1) + log(-1, -1)) / 4;
  const by = gxx * gyy - gxy * gxy;
  if (!(by > 1e-9 && gxx < 0)) return [x - 1, y - 1];
  const dx = clamp(-(gyy * gx - gxy * gy) / by, -1, 1);
  const dy = clamp(-(gxx * gy - gxy * gx) / by, -1, 1);
  return [clamp(border.corrected(x - 1, dx), -0.5, side - 0.5), clamp(border.corrected(y - 1, dy), -0.5, side - 0.5)];
}

/**
 * @param {number} sigma
 * @param {number} side
 */
function borderOf(sigma, side) {
  const name = `${sigma} ${side}`;
  const border = borders.get(name) ?? new Border(sigma, side);
  borders.set(name, border);
  return border;
}

/**
 * First and last place around one, on the map.
 * @param {number} place
 * @param {number} about
 * @param {number} side
 * @returns {[number, number]}
 */
function near(place, about, side) {
  return [Math.max(1, place - about), Math.min(side, place + about)];
}

/**
 * The first of the largest cells in ranges, both ends included.
 * @param {Float32Array} map
 * @param {number} width
 * @param {[number, number]} xs
 * @param {[number, number]} ys
 * @returns {Point}
 */
function largest(map, width, xs, ys) {
  let best = ys[0] * width + xs[0];
  for (let y = ys[0]; y <= ys[1]; y++) {
    for (let x = xs[0]; x <= xs[1]; x++) if (map[y * width + x] > map[best]) best = y * width + x;
  }
  return [best % width, Math.floor(best / width)];
}

/**
 * Weights of the smoothing, float32.
 * @param {number} sigma
 */
export function kernel(sigma) {
  const count = roundHalfEven(8 * sigma + 1) | 1;
  const weights = Array.from({ length: count }, (_, i) => Math.exp(-((i - (count - 1) / 2) ** 2) / (2 * sigma ** 2)));
  const sum = weights.reduce((total, weight) => total + weight);
  return Float32Array.from(weights, (weight) => weight / sum);
}

/**
 * A cell of 0 on each side.
 * @param {Float32Array} map
 * @param {number} side
 */
function padded(map, side) {
  const wide = new Float32Array((side + 2) ** 2);
  for (let y = 0; y < side; y++) wide.set(map.subarray(y * side, (y + 1) * side), (y + 1) * (side + 2) + 1);
  return wide;
}

/**
 * Along rows, then along columns, 0 outside.
 * @param {Float32Array} map
 * @param {number} side
 * @param {Float32Array} weights
 */
function smoothed(map, side, weights) {
  return along(along(map, side, weights, 1), side, weights, side);
}

/**
 * @param {Float32Array} map
 * @param {number} side
 * @param {Float32Array} weights
 * @param {number} step 1 along rows, the side along columns.
 */
function along(map, side, weights, step) {
  const out = new Float32Array(map.length);
  const reach = weights.length >> 1;
  for (let i = 0; i < map.length; i++) {
    const place = step === 1 ? i % side : Math.floor(i / side);
    const low = Math.max(-reach, -place);
    const high = Math.min(reach, side - 1 - place);
    let sum = 0;
    for (let k = low; k <= high; k++) sum += weights[k + reach] * map[i + k * step];
    out[i] = sum;
  }
  return out;
}
