/**
 * The mean shape of a model's landmarks, and how sure a result is (docs/ports.md, section 8).
 *
 * @typedef {import("./types.js").Point} Point
 * @typedef {import("./types.js").HeatMaps} HeatMaps
 * @typedef {import("./types.js").ConfidenceFields} ConfidenceFields
 */
import { boxAround, longerSide } from "./geometry.js";
import { clamp, degrees } from "./numbers.js";

const UNITS = 10000; // whole numbers of the description by one
const NEAR = 2.5; // heat-map pixels around a point that count as its peak
const TINY = 1e-6;
const LIMIT = 50; // of the logit

/** @param {Point[]} points @returns {Point} */
function middle(points) {
  const [x, y] = points.reduce(([u, v], [a, b]) => [u + a, v + b], [0, 0]);
  return [x / points.length, y / points.length];
}

/**
 * Points moved, turned and sized to fit the mean shape.
 * @param {Point[]} points
 * @param {number[][]} mean Whole numbers, as in the description.
 * @returns {{aligned: Point[], size: number, roll: number}}
 */
export function align(points, mean) {
  const [px, py] = middle(points);
  let a = 0;
  let b = 0;
  points.forEach(([x, y], i) => {
    const [mx, my] = mean[i].map((value) => value / UNITS);
    a += (x - px) * mx + (y - py) * my;
    b += (y - py) * mx - (x - px) * my;
  });
  const size = Math.max(Math.hypot(a, b), TINY);
  const aligned = points.map(([x, y]) => {
    const [u, v] = [x - px, y - py];
    return /** @type {Point} */ ([(a * u + b * v) / size ** 2, (a * v - b * u) / size ** 2]);
  });
  return { aligned, size, roll: degrees(Math.atan2(b, a)) };
}

/**
 * What the confidence is computed from, in the description's order.
 * @param {ConfidenceFields} known
 * @param {HeatMaps} heat Of the last look.
 * @param {Point[]} points In its pixels.
 * @param {number[]} scores
 * @param {Point[] | null} before Points of the look before, in the same pixels.
 */
export function features(known, heat, points, scores, before) {
  const shares = heat.maps.map((map, i) => concentration(map, heat.side, points[i]));
  const { aligned, size, roll } = align(points, known.shape.mean);
  const [residual, modes] = fromShape(known, aligned);
  const z = Math.log(size / (heat.side * Math.sqrt(points.length)));
  const centre = (heat.side - 1) / 2;
  const [x, y] = middle(points);
  const found = [
    mean(scores), lowerDecile(scores), mean(shares), lowerDecile(shares), residual, modes, z, z * z,
    Math.hypot(x - centre, y - centre) / heat.side, Math.abs(roll) / 90,
  ]; // prettier-ignore
  if (!before) return found;
  const apart = mean(points.map(([u, v], i) => Math.hypot(u - before[i][0], v - before[i][1])));
  return [...found, Math.log(apart / Math.max(longerSide(boxAround(points)), TINY) + 1e-3)];
}

/**
 * 0 to 1.
 * @param {ConfidenceFields} known
 * @param {number[]} values As {@link features} gives them: ten of one look, eleven of two.
 */
export function confidence(known, values) {
  const [bias, ...weights] = values.length === 10 ? known.one : known.two;
  const logit = values.reduce((sum, value, i) => sum + weights[i] * value, bias);
  return 1 / (1 + Math.exp(-clamp(logit, -LIMIT, LIMIT)));
}

/**
 * How far a shape is from the model's own: outside of its modes, and along them.
 * @param {ConfidenceFields} known
 * @param {Point[]} aligned
 */
function fromShape({ shape }, aligned) {
  const apart = aligned.flatMap(([x, y], i) => [x - shape.mean[i][0] / UNITS, y - shape.mean[i][1] / UNITS]);
  const along = shape.modes.map((mode) => mode.reduce((sum, value, i) => sum + (value / UNITS) * apart[i], 0));
  const rest = apart.map((value, i) => value - along.reduce((sum, w, k) => sum + (w * shape.modes[k][i]) / UNITS, 0));
  const modes = mean(along.map((w, k) => (w / (shape.spread[k] / UNITS)) ** 2));
  return [Math.log(Math.hypot(...rest) + TINY), Math.log(modes + TINY)];
}

/**
 * The share of a map's positive values that lies near a point.
 * @param {Float32Array} map
 * @param {number} side
 * @param {Point} point
 */
function concentration(map, side, [x, y]) {
  let near = 0;
  let all = 0;
  for (let i = 0; i < map.length; i++) {
    if (!(map[i] > 0)) continue;
    all += map[i];
    if (Math.abs((i % side) - x) <= NEAR && Math.abs(Math.floor(i / side) - y) <= NEAR) near += map[i];
  }
  return near / Math.max(all, TINY);
}

/** @param {number[]} values */
function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** @param {number[]} values */
function lowerDecile(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const place = 0.1 * (sorted.length - 1);
  const low = Math.floor(place);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (place - low) * (sorted[high] - sorted[low]);
}
