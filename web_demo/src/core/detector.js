/**
 * BlazeFace's grid of anchors, and faces of any size by tiles (Bazarevsky et al., arXiv 1907.05047).
 *
 * @typedef {import("./types.js").Box} Box
 * @typedef {import("./types.js").Point} Point
 * @typedef {import("./types.js").Picture} Picture
 * @typedef {import("./types.js").Detection} Detection
 *
 * @typedef {(values: Float32Array) => Promise<{logits: Float32Array, values: Float32Array}>} BlazeNetwork
 */
import { apply, cropMatrix, inverse, overlap, wholePicture } from "./geometry.js";
import { clamp, degrees } from "./numbers.js";
import { crop } from "./warp.js";

export const SIDE = 128; // of the network's input
const GRIDS = [
  [16, 2],
  [8, 6],
]; // cells of a side, anchors of a cell; prettier-ignore
const VALUES = 16; // of an anchor: a middle, sides, and six key points
const MIN_SCORE = 0.5;
const SAME = 0.3; // overlap of two boxes of one face
const SURE = 0.6; // score from which a face in a tile counts: tiles are many
const INSIDE = 0.5; // share of the smaller box that lies in a better one: the same face
const SMALLEST_TILE = 160; // pixels
const SHARED = 1 / 3; // of a tile's side lies over the next
const LEVELS = 4; // of tiles; each halves their side
const LIMIT = 100; // of logits

/** Middles of the anchors as shares of the side. */
export const ANCHORS = GRIDS.flatMap(([cells, count]) =>
  Array.from({ length: cells * cells * count }, (_, i) => {
    const cell = Math.floor(i / count);
    return /** @type {Point} */ ([((cell % cells) + 0.5) / cells, (Math.floor(cell / cells) + 0.5) / cells]);
  }),
);

/** Faces of a picture. */
export class FaceDetector {
  /** @param {BlazeNetwork} network */
  constructor(network) {
    this.network = network;
  }

  /**
   * Faces in the whole picture and in overlapping tiles of a big one, best first.
   * @param {Picture} picture
   */
  async detect(picture) {
    const whole = wholePicture(picture.width, picture.height);
    const found = await this.within(picture, whole, MIN_SCORE);
    for (const tile of tiles(picture.width, picture.height)) {
      const inside = await this.within(picture, tile, SURE);
      found.push(...inside.filter(({ box }) => isWithin(box, tile, whole)));
    }
    return bestOfEach(found);
  }

  /**
   * Faces in one look at the whole picture, best first: enough for a camera's.
   * @param {Picture} picture
   */
  async glance(picture) {
    return bestOfEach(await this.within(picture, wholePicture(picture.width, picture.height), MIN_SCORE));
  }

  /**
   * @param {Picture} picture
   * @param {Box} square
   * @param {number} minScore
   * @returns {Promise<Detection[]>}
   */
  async within(picture, square, minScore) {
    const matrix = cropMatrix({ box: square, factor: 1, roll: 0 }, SIDE);
    const input = new Float32Array(crop(picture, matrix, SIDE));
    for (let i = 0; i < input.length; i++) input[i] = input[i] / 127.5 - 1;
    const { logits, values } = await this.network(input);
    const back = inverse(matrix);
    return clusters(candidates(logits, values, minScore)).map(({ points, score }) => {
      const [low, high, right, left] = points.map((point) => apply(back, point));
      const roll = degrees(Math.atan2(left[1] - right[1], left[0] - right[0]));
      return { box: /** @type {Box} */ ([...low, ...high]), score, roll };
    });
  }
}

/**
 * Corners and key points, in the network's pixels, of anchors that see a face.
 * @param {Float32Array} logits
 * @param {Float32Array} values
 * @param {number} minScore
 */
function candidates(logits, values, minScore) {
  const found = [];
  for (let i = 0; i < ANCHORS.length; i++) {
    const score = 1 / (1 + Math.exp(-clamp(logits[i], -LIMIT, LIMIT)));
    if (score < minScore) continue;
    const own = values.subarray(i * VALUES, (i + 1) * VALUES);
    const place = (/** @type {number} */ k) =>
      /** @type {Point} */ ([own[2 * k] + ANCHORS[i][0] * SIDE - 0.5, own[2 * k + 1] + ANCHORS[i][1] * SIDE - 0.5]);
    const [x, y] = place(0);
    /** @type {Point[]} */
    const corners = [[x - own[2] / 2, y - own[3] / 2], [x + own[2] / 2, y + own[3] / 2]]; // prettier-ignore
    found.push({ points: [...corners, ...[2, 3, 4, 5, 6, 7].map(place)], score });
  }
  return found;
}

/**
 * Suppression: what overlaps the best one is averaged into it, weighted by scores.
 * @param {{points: Point[], score: number}[]} found
 */
function clusters(found) {
  const boxOf = (/** @type {{points: Point[]}} */ { points }) => /** @type {Box} */ ([...points[0], ...points[1]]);
  let left = [...found].sort((one, other) => other.score - one.score);
  const kept = [];
  while (left.length) {
    const best = left[0];
    const same = left.filter((each) => each === best || overlap(boxOf(best), boxOf(each)) > SAME);
    const weight = same.reduce((sum, { score }) => sum + score, 0);
    const points = best.points.map((_, k) => {
      const sum = (/** @type {0 | 1} */ axis) => same.reduce((all, each) => all + each.score * each.points[k][axis], 0);
      return /** @type {Point} */ ([sum(0) / weight, sum(1) / weight]);
    });
    kept.push({ points, score: best.score });
    left = left.filter((each) => !same.includes(each));
  }
  return kept;
}

/**
 * Squares over a picture, parts of each over its neighbours, in sizes that halve.
 * @param {number} width
 * @param {number} height
 * @returns {Box[]}
 */
export function tiles(width, height) {
  const found = [];
  for (let level = 1; level <= LEVELS; level++) {
    const side = Math.max(width, height) / 2 ** level;
    if (side < SMALLEST_TILE) break;
    for (const y of starts(height, side)) {
      for (const x of starts(width, side))
        found.push(/** @type {Box} */ ([x, y, x + side, y + side].map((v) => v - 0.5)));
    }
  }
  return found;
}

/**
 * @param {number} length
 * @param {number} side
 */
function starts(length, side) {
  const count = Math.max(1, Math.ceil((length / side - SHARED) / (1 - SHARED)));
  const room = Math.max(length - side, 0);
  return Array.from({ length: count }, (_, i) => (count > 1 ? (i * room) / (count - 1) : 0));
}

/**
 * Whether a box is not cut by a border of its tile that lies within the picture.
 * @param {Box} box
 * @param {Box} tile
 * @param {Box} whole
 */
function isWithin(box, tile, whole) {
  const low = [0, 1].every((k) => box[k] >= tile[k] || tile[k] <= whole[k]);
  return low && [2, 3].every((k) => box[k] <= tile[k] || tile[k] >= whole[k]);
}

/** @param {Detection[]} found */
function bestOfEach(found) {
  /** @type {Detection[]} */
  const kept = [];
  for (const each of [...found].sort((one, other) => other.score - one.score)) {
    if (kept.every((other) => overlap(each.box, other.box, true) <= INSIDE)) kept.push(each);
  }
  return kept;
}
