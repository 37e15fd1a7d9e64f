/** Rounding as IEEE and Python do it. */

/**
 * Halves to the even neighbour.
 * @param {number} value
 */
export function roundHalfEven(value) {
  const low = Math.floor(value);
  const rest = value - low;
  return rest < 0.5 || (rest === 0.5 && low % 2 === 0) ? low : low + 1;
}

/**
 * x y + z with one rounding to float32; the product of two float32 is exact in a double.
 * @param {number} x
 * @param {number} y
 * @param {number} z
 */
export function fused(x, y, z) {
  return Math.fround(x * y + z);
}

/**
 * @param {number} value
 * @param {number} low
 * @param {number} high
 */
export function clamp(value, low, high) {
  return Math.min(high, Math.max(low, value));
}

/** @param {number} degrees */
export function radians(degrees) {
  return (degrees * Math.PI) / 180;
}

/** @param {number} angle In radians. */
export function degrees(angle) {
  return (angle * 180) / Math.PI;
}
