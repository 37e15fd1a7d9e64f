/**
 * Boxes, and the map from a picture to a crop (docs/ports.md, sections 2, 3 and 7).
 *
 * @typedef {import("./types.js").Point} Point
 * @typedef {import("./types.js").Box} Box
 * @typedef {import("./types.js").Matrix} Matrix
 * @typedef {import("./types.js").Look} Look
 */
import { clamp, radians } from "./numbers.js";
import { ReadableError } from "./readable_error.js";

const STRIDE = 4; // input pixels of a heat-map pixel

/**
 * From the picture's pixels to those of a crop of a side.
 * @param {Look} look
 * @param {number} side
 * @returns {Matrix}
 */
export function cropMatrix({ box, factor, roll }, side) {
  const zoom = side / (factor * Math.max(box[2] - box[0], box[3] - box[1]));
  const x = (box[0] + box[2]) / 2;
  const y = (box[1] + box[3]) / 2;
  const a = zoom * Math.cos(radians(roll));
  const b = zoom * Math.sin(radians(roll));
  const middle = (side - 1) / 2;
  return [a, b, middle - a * x - b * y, -b, a, middle + b * x - a * y];
}

/**
 * @param {Matrix} matrix
 * @returns {Matrix}
 */
export function inverse([a, b, c, d, e, f]) {
  const by = 1 / (a * e - b * d); // in OpenCV's order of operations
  const [p, q, r, s] = [e * by, -b * by, -d * by, a * by];
  return [p, q, -p * c - q * f, r, s, -r * c - s * f];
}

/**
 * @param {Matrix} matrix
 * @param {Point} point
 * @returns {Point}
 */
export function apply([a, b, c, d, e, f], [x, y]) {
  return [a * x + b * y + c, d * x + e * y + f];
}

/**
 * From heat-map pixels to the picture's, through the inverse of a crop's map.
 * @param {Point[]} points
 * @param {Matrix} toCrop
 */
export function toPicture(points, toCrop) {
  const back = inverse(toCrop);
  return points.map(([x, y]) => apply(back, [STRIDE * x + (STRIDE - 1) / 2, STRIDE * y + (STRIDE - 1) / 2]));
}

/**
 * The inverse of {@link toPicture}.
 * @param {Point[]} points
 * @param {Matrix} toCrop
 * @returns {Point[]}
 */
export function toHeatMap(points, toCrop) {
  return points.map((point) => {
    const [x, y] = apply(toCrop, point);
    return [(x - (STRIDE - 1) / 2) / STRIDE, (y - (STRIDE - 1) / 2) / STRIDE];
  });
}

/**
 * The tight, upright box of points.
 * @param {Point[]} points
 * @returns {Box}
 */
export function boxAround(points) {
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

/** @param {Box} box */
export function longerSide([x0, y0, x1, y1]) {
  return Math.max(x1 - x0, y1 - y0);
}

/**
 * All of a picture.
 * @param {number} width
 * @param {number} height
 * @returns {Box}
 */
export function wholePicture(width, height) {
  return [-0.5, -0.5, width - 0.5, height - 0.5];
}

/**
 * The box of the next look: tight around points that are turned upright.
 * @param {Point[]} points
 * @param {number} roll Of the points, against the mean shape.
 * @returns {Box}
 */
export function closerBox(points, roll) {
  const c = Math.cos(radians(roll));
  const s = Math.sin(radians(roll));
  const [u0, v0, u1, v1] = boxAround(points.map(([x, y]) => [c * x + s * y, -s * x + c * y]));
  const u = (u0 + u1) / 2;
  const v = (v0 + v1) / 2;
  const x = c * u - s * v;
  const y = s * u + c * v;
  return [x - (u1 - u0) / 2, y - (v1 - v0) / 2, x + (u1 - u0) / 2, y + (v1 - v0) / 2];
}

/**
 * From a detector's box to the square that a model was trained with.
 * @param {import("./types.js").DetectorFields} known
 * @param {Box} box
 * @param {number} roll
 * @returns {Box}
 */
export function fromDetector({ shift, scale }, box, roll) {
  const side = longerSide(box);
  const c = Math.cos(radians(roll));
  const s = Math.sin(radians(roll));
  const x = (box[0] + box[2]) / 2 + side * (c * shift[0] - s * shift[1]);
  const y = (box[1] + box[3]) / 2 + side * (s * shift[0] + c * shift[1]);
  const half = (scale * side) / 2;
  return [x - half, y - half, x + half, y + half];
}

/**
 * Shared area over that of both together, or over that of the smaller one.
 * @param {Box} one
 * @param {Box} other
 * @param {boolean} [ofSmaller]
 */
export function overlap(one, other, ofSmaller = false) {
  const width = Math.max(Math.min(one[2], other[2]) - Math.max(one[0], other[0]), 0);
  const height = Math.max(Math.min(one[3], other[3]) - Math.max(one[1], other[1]), 0);
  const areas = [one, other].map(([x0, y0, x1, y1]) => (x1 - x0) * (y1 - y0));
  const shared = width * height;
  return shared / Math.max(ofSmaller ? Math.min(...areas) : areas[0] + areas[1] - shared, 1e-9);
}

/**
 * Refuses a box without extent, or wholly outside the picture.
 * @param {Box} box
 * @param {number} width
 * @param {number} height
 */
export function checkBox(box, width, height) {
  const [x0, y0, x1, y1] = box;
  const outside = x1 < -0.5 || y1 < -0.5 || x0 > width - 0.5 || y0 > height - 0.5;
  if (!box.every(Number.isFinite) || x1 <= x0 || y1 <= y0 || outside) {
    throw new ReadableError("This box holds nothing of the picture: drag another one.");
  }
}

/**
 * A box of two corners in any order, cut to the picture.
 * @param {Point} one
 * @param {Point} other
 * @param {number} width
 * @param {number} height
 * @returns {Box}
 */
export function draggedBox(one, other, width, height) {
  const [xs, ys] = [
    [one[0], other[0]].map((x) => clamp(x, -0.5, width - 0.5)),
    [one[1], other[1]].map((y) => clamp(y, -0.5, height - 0.5)),
  ];
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}
