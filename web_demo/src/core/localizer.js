/**
 * Pictures in, landmarks out: look, crop, network, decoder, and closer looks (docs/ports.md, section 9).
 *
 * @typedef {import("./types.js").Picture} Picture
 * @typedef {import("./types.js").Point} Point
 * @typedef {import("./types.js").Box} Box
 * @typedef {import("./types.js").Look} Look
 * @typedef {import("./types.js").HeatMaps} HeatMaps
 * @typedef {import("./types.js").Detection} Detection
 * @typedef {import("./types.js").Description} Description
 * @typedef {import("./types.js").Found} Found
 *
 * @typedef {(bytes: Uint8Array) => Promise<HeatMaps>} Network From a crop's bytes to heat maps.
 * @typedef {{maps: HeatMaps, inner: Point[], points: Point[], scores: number[], toCrop: import("./types.js").Matrix}} Seen
 */
import { TURN, withMirror, withTurned } from "./averages.js";
import { decode, scoresOf } from "./decoder.js";
import {
  boxAround, checkBox, closerBox, cropMatrix, fromDetector, longerSide, overlap, toHeatMap, toPicture, wholePicture,
} from "./geometry.js"; // prettier-ignore
import { ReadableError } from "./readable_error.js";
import { align, confidence, features } from "./shape.js";
import { crop, mirror } from "./warp.js";

const CLOSING = { given: 0, detector: 1, whole: 3 }; // looks after the first
const SMALLEST = 2; // pixels; points closer together give no box
const TWICE = 0.6; // overlap of two results that are one object

/** Finds landmarks with one network. */
export class Localizer {
  /**
   * @param {Network} network
   * @param {Description} description
   * @param {{flipTest?: boolean, crops?: 1 | 2}} [options]
   */
  constructor(network, description, { flipTest = false, crops = 1 } = {}) {
    if (flipTest && !description.skeleton.flip_pairs) {
      throw new ReadableError(
        `Model ${description.name} does not say what a mirror image swaps: leave the flip test out.`,
      );
    }
    this.network = network;
    this.description = description;
    this.flipTest = flipTest;
    this.crops = crops;
  }

  /**
   * One object, in a tight box, or in the whole picture.
   * @param {Picture} picture
   * @param {Box | null} [box]
   * @returns {Promise<Found>}
   */
  async locate(picture, box = null) {
    if (box) checkBox(box, picture.width, picture.height);
    const whole = { box: wholePicture(picture.width, picture.height), factor: 1, roll: 0 };
    const first = box ? { box, factor: this.description.crop_factor, roll: 0 } : whole;
    return this.closeIn(picture, first, box ? CLOSING.given : CLOSING.whole);
  }

  /**
   * Every object that a detector found, the surest first, none twice.
   * @param {Picture} picture
   * @param {Detection[]} detections
   */
  async locateAll(picture, detections) {
    const found = [];
    for (const each of detections) found.push(await this.locateDetected(picture, each));
    const order = found.sort((one, other) => (other.confidence ?? 0) - (one.confidence ?? 0));
    /** @type {Found[]} */
    const kept = [];
    for (const each of order) {
      const box = boxAround(each.landmarks);
      if (kept.every((other) => overlap(box, boxAround(other.landmarks)) <= TWICE)) kept.push(each);
    }
    return kept;
  }

  /**
   * @param {Picture} picture
   * @param {Detection} detection
   */
  async locateDetected(picture, { box, roll }) {
    const known = this.description.detector;
    if (!known) throw new ReadableError(`Model ${this.description.name} knows no detector's boxes: drag a box.`);
    const look = { box: fromDetector(known, box, roll), factor: this.description.crop_factor, roll };
    return this.closeIn(picture, look, CLOSING.detector);
  }

  /**
   * @param {Picture} picture
   * @param {Look} first
   * @param {number} closing Looks after the first.
   */
  async closeIn(picture, first, closing) {
    let seen = await this.look(picture, first);
    let before = null;
    for (let left = closing; left > 0 && longerSide(boxAround(seen.points)) >= SMALLEST; left--) {
      before = seen.points;
      seen = await this.look(picture, this.closer(seen.points));
    }
    return this.judged(first.box, seen, before);
  }

  /**
   * The look in the box of the points, turned upright by them.
   * @param {Point[]} points
   * @returns {Look}
   */
  closer(points) {
    const known = this.description.confidence;
    const roll = known ? align(points, known.shape.mean).roll : 0;
    return { box: closerBox(points, roll), factor: this.description.crop_factor, roll };
  }

  /**
   * @param {Picture} picture
   * @param {Look} look
   * @returns {Promise<Seen>}
   */
  async look(picture, look) {
    const toCrop = cropMatrix(look, this.description.input_size);
    let maps = await this.averaged(picture, toCrop);
    if (this.crops === 2) {
      const turned = cropMatrix({ ...look, roll: look.roll + TURN }, this.description.input_size);
      maps = withTurned(maps, await this.averaged(picture, turned));
    }
    const inner = decode(maps, this.description.decoder, this.description.sigma);
    return { maps, inner, points: toPicture(inner, toCrop), scores: scoresOf(maps), toCrop };
  }

  /**
   * Heat maps of a crop, with those of its mirror image.
   * @param {Picture} picture
   * @param {import("./types.js").Matrix} toCrop
   */
  async averaged(picture, toCrop) {
    const side = this.description.input_size;
    const bytes = crop(picture, toCrop, side);
    const maps = checked(await this.network(bytes), this.description.name);
    if (!this.flipTest) return maps;
    const mirrored = checked(await this.network(mirror(bytes, side)), this.description.name);
    return withMirror(maps, mirrored, this.description.skeleton.flip_pairs ?? []);
  }

  /**
   * @param {Box} box
   * @param {Seen} seen
   * @param {Point[] | null} before
   * @returns {Found}
   */
  judged(box, { maps, inner, points, scores, toCrop }, before) {
    const known = this.description.confidence;
    const seenBefore = before && toHeatMap(before, toCrop);
    const sure = known ? confidence(known, features(known, maps, inner, scores, seenBefore)) : null;
    const found = sure === null || sure >= (known?.threshold ?? 0);
    const visible = scores.map((score) => found && (!known || score >= known.visible));
    return { box, landmarks: points, scores, confidence: sure, found, visible };
  }
}

/**
 * @param {HeatMaps} heat
 * @param {string} name
 */
function checked(heat, name) {
  if (heat.maps.every((map) => map.every(Number.isFinite))) return heat;
  throw new ReadableError(`Model ${name} returned values that are no numbers: its file is damaged, load it again.`);
}
