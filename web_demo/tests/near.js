/** Comparison of what is computed with a vector of docs/ports/vectors.json. */
import assert from "node:assert/strict";

const BYTES = new Set(["crop", "first_crop_row_32"]);

/**
 * Equal, numbers within a tolerance, bytes of crops at most 1 apart in at most 3 %.
 * @param {any} found
 * @param {any} expected
 * @param {number} tolerance
 * @param {string} where
 */
export function near(found, expected, tolerance, where) {
  if (typeof expected === "number" && typeof found === "number") {
    assert.ok(Math.abs(found - expected) <= tolerance, `${where}: ${found}, not ${expected}`);
  } else if (Array.isArray(expected)) {
    assert.equal(found.length, expected.length, where);
    expected.forEach((value, i) => near(found[i], value, tolerance, `${where}[${i}]`));
  } else if (expected !== null && typeof expected === "object") {
    for (const [name, value] of Object.entries(expected)) {
      if (BYTES.has(name)) nearBytes(found[name], value, `${where}.${name}`);
      else near(found[name], value, tolerance, `${where}.${name}`);
    }
  } else {
    assert.deepEqual(found, expected, where);
  }
}

/**
 * @param {any} found
 * @param {any} expected
 * @param {string} where
 */
export function nearBytes(found, expected, where) {
  const [one, other] = [found, expected].map((values) => values.flat(Infinity));
  assert.equal(one.length, other.length, where);
  const apart = one.map((value, i) => Math.abs(value - other[i]));
  assert.ok(Math.max(...apart) <= 1 && apart.filter((value) => value > 0).length <= 0.03 * apart.length, where);
  return apart.filter((value) => value > 0).length;
}
