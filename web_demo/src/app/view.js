/**
 * A picture on a canvas, with landmarks, lines and boxes over it.
 *
 * @typedef {import("../core/types.js").Picture} Picture
 * @typedef {import("../core/types.js").Found} Found
 * @typedef {import("../core/types.js").Skeleton} Skeleton
 * @typedef {import("../core/types.js").Box} Box
 * @typedef {import("../core/types.js").Point} Point
 */
import { boxAround, longerSide } from "../core/geometry.js";

// Okabe and Ito's, which colour-blind people can tell apart too, on a dark rim.
const FOUND = "#56B4E9";
const HIDDEN = "#E69F00";
const UNSURE = "#969696";
const RIM = "#101010";
const BOX = "#FFFFFF";
const DISC = 0.009; // radius of a point by the longer side of all

/** Draws; a mirrored one is for the camera that looks at its user. */
export class View {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  }

  /** @param {Picture} picture */
  show({ width, height, data }) {
    if (this.canvas.width !== width || this.canvas.height !== height) {
      Object.assign(this.canvas, { width, height });
      this.canvas.style.setProperty("--aspect", String(width / height));
    }
    this.context.putImageData(new ImageData(new Uint8ClampedArray(data), width, height), 0, 0);
  }

  /**
   * @param {Found} found
   * @param {Skeleton} skeleton
   */
  draw({ landmarks, found, visible }, skeleton) {
    const radius = Math.max(1.2 * this.pixel, DISC * longerSide(boxAround(landmarks)));
    const colour = (/** @type {number} */ i) => (!found ? UNSURE : visible[i] ? FOUND : HIDDEN);
    for (const [from, to] of skeleton.edges) this.line(landmarks[from], landmarks[to], radius, found ? FOUND : UNSURE);
    landmarks.forEach((point, i) => this.disc(point, radius, colour(i)));
  }

  /** @param {Box} box */
  box([x0, y0, x1, y1]) {
    for (const [colour, wide] of /** @type {[string, number][]} */ ([
      [RIM, 4],
      [BOX, 2],
    ])) {
      this.context.strokeStyle = colour;
      this.context.lineWidth = wide * this.pixel;
      this.context.strokeRect(x0 + 0.5, y0 + 0.5, x1 - x0, y1 - y0);
    }
  }

  /** Pixels of the picture in one of the screen. */
  get pixel() {
    return this.canvas.width / Math.max(this.canvas.clientWidth, 1);
  }

  /**
   * From a place on the screen to the picture's pixels.
   * @param {{clientX: number, clientY: number}} event
   * @returns {Point}
   */
  place({ clientX, clientY }) {
    const { left, top, width, height } = this.canvas.getBoundingClientRect();
    const x = ((clientX - left) / width) * this.canvas.width;
    const y = ((clientY - top) / height) * this.canvas.height;
    return [x - 0.5, y - 0.5];
  }

  /**
   * @param {Point} from
   * @param {Point} to
   * @param {number} radius
   * @param {string} colour
   */
  line(from, to, radius, colour) {
    this.context.strokeStyle = colour;
    this.context.lineWidth = radius * 0.6;
    this.context.beginPath();
    this.context.moveTo(from[0] + 0.5, from[1] + 0.5); // a canvas has corners on whole numbers
    this.context.lineTo(to[0] + 0.5, to[1] + 0.5);
    this.context.stroke();
  }

  /**
   * @param {Point} point
   * @param {number} radius
   * @param {string} colour
   */
  disc([x, y], radius, colour) {
    for (const [size, tone] of /** @type {[number, string][]} */ ([
      [1.4 * radius, RIM],
      [radius, colour],
    ])) {
      this.context.fillStyle = tone;
      this.context.beginPath();
      this.context.arc(x + 0.5, y + 0.5, size, 0, 2 * Math.PI);
      this.context.fill();
    }
  }
}
