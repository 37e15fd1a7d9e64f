/** DARK near the border of a map, where a part of the Gaussian has no cells (docs/ports.md, section 6). */
import { clamp } from "./numbers.js";

const STEPS = 65; // of the table, from -1 to 1
const PER_UNIT = 32;
const OFFSETS = Array.from({ length: 81 }, (_, i) => i / PER_UNIT - 1.25);
const NARROW = 0.7; // sigma below which nothing is corrected

/** For maps of one side. */
export class Border {
  /**
   * @param {number} sigma Of the training's Gaussians, in heat-map pixels.
   * @param {number} side Of the maps.
   */
  constructor(sigma, side) {
    this.sigma = sigma;
    this.side = side;
    this.reach = Math.ceil(6 * sigma) + 2;
    /** Factors of the cells -1 to side. */
    this.weights = Float32Array.from({ length: side + 2 }, (_, i) => 1 / Math.sqrt(this.share(i - 1)));
    /** @type {Map<number, number[]>} */
    this.tables = new Map();
  }

  /**
   * The part of a squared Gaussian around a place that lies on the map.
   * @param {number} place
   */
  share(place) {
    if (this.sigma < NARROW) return 1;
    let inside = 0;
    let all = 0;
    for (let k = -this.reach; k < this.side + this.reach; k++) {
      const part = Math.exp(-(((k - place) / this.sigma) ** 2));
      all += part;
      if (k >= 0 && k < this.side) inside += part;
    }
    return inside / all;
  }

  /**
   * The place of a Newton step from a cell, along one axis.
   * @param {number} cell
   * @param {number} step -1 to 1.
   */
  corrected(cell, step) {
    if (cell > this.reach && cell < this.side - 1 - this.reach) return cell + step;
    const table = this.table(cell);
    const place = PER_UNIT * (step + 1);
    const low = Math.min(Math.floor(place), STEPS - 2);
    return cell + table[low] + (place - low) * (table[low + 1] - table[low]);
  }

  /**
   * Offsets of the Gaussian's middle for each step.
   * @param {number} cell
   */
  table(cell) {
    let table = this.tables.get(cell);
    if (!table) {
      const steps = this.stepsOf(cell);
      table = Array.from({ length: STEPS }, (_, i) => interpolated(i / PER_UNIT - 1, steps, OFFSETS));
      this.tables.set(cell, table);
    }
    return table;
  }

  /**
   * The Newton step that is found for a Gaussian at each offset from a cell.
   * @param {number} cell
   */
  stepsOf(cell) {
    let largest = -Infinity;
    return OFFSETS.map((offset) => {
      const [low, middle, high] = [-1, 0, 1].map((k) => this.height(cell + k, cell + offset));
      largest = Math.max(largest, (high - low) / 2 / (2 * middle - low - high));
      return largest;
    });
  }

  /**
   * Logarithm of a cell's weighted value.
   * @param {number} cell
   * @param {number} centre
   */
  height(cell, centre) {
    const fit = -((cell - centre) ** 2) / (4 * this.sigma ** 2);
    return fit + Math.log(this.share((cell + centre) / 2)) - Math.log(this.share(cell)) / 2;
  }
}

/**
 * @param {number} at
 * @param {number[]} places They never fall.
 * @param {number[]} values
 */
function interpolated(at, places, values) {
  const last = places.length - 1;
  if (at <= places[0]) return values[0];
  for (let i = 0; i < last; i++) {
    if (places[i] <= at && at < places[i + 1]) {
      const share = clamp((at - places[i]) / (places[i + 1] - places[i]), 0, 1);
      return values[i] + share * (values[i + 1] - values[i]);
    }
  }
  return values[last];
}
