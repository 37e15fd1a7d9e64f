/**
 * Means of heat maps: with those of the mirror image, and of a turned crop (docs/ports.md, section 4).
 *
 * @typedef {import("./types.js").HeatMaps} HeatMaps
 */
import { radians } from "./numbers.js";

export const TURN = 8; // degrees between two crops

/**
 * @param {HeatMaps} heat
 * @param {HeatMaps} mirrored Of the mirror image.
 * @param {[number, number][]} pairs Landmarks that a mirror image swaps.
 * @returns {HeatMaps}
 */
export function withMirror({ side, maps }, mirrored, pairs) {
  const partner = new Map(pairs.flatMap(([a, b]) => [[a, b], [b, a]])); // prettier-ignore
  const means = maps.map((map, c) => {
    const other = mirrored.maps[partner.get(c) ?? c];
    return map.map((value, i) => (value + other[i - (i % side) + side - 1 - (i % side)]) / 2);
  });
  return { side, maps: means };
}

/**
 * @param {HeatMaps} heat
 * @param {HeatMaps} turned Of the crop that is turned by {@link TURN}.
 * @returns {HeatMaps}
 */
export function withTurned({ side, maps }, turned) {
  const middle = (side - 1) / 2;
  const c = Math.cos(radians(TURN));
  const s = Math.sin(radians(TURN));
  const means = maps.map((map, k) =>
    map.map((value, i) => {
      const x = (i % side) - middle;
      const y = Math.floor(i / side) - middle;
      const [sum, weight] = sampled(turned.maps[k], side, c * x + s * y + middle, -s * x + c * y + middle);
      return (value + sum) / (1 + weight);
    }),
  );
  return { side, maps: means };
}

/**
 * Weighted sum of the four cells around a place, and the weights of those on the map.
 * @param {Float32Array} map
 * @param {number} side
 * @param {number} x
 * @param {number} y
 */
function sampled(map, side, x, y) {
  let sum = 0;
  let all = 0;
  for (let row = Math.floor(y); row <= Math.floor(y) + 1; row++) {
    for (let column = Math.floor(x); column <= Math.floor(x) + 1; column++) {
      if (row < 0 || column < 0 || row >= side || column >= side) continue;
      const weight = (1 - Math.abs(x - column)) * (1 - Math.abs(y - row));
      all += weight;
      sum += weight * map[row * side + column];
    }
  }
  return [sum, all];
}
