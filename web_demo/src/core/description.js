/**
 * What a model says of itself (docs/packed-format.md, section 5).
 *
 * @typedef {import("./types.js").Description} Description
 */
import { ReadableError } from "./readable_error.js";

const FEATURES = [
  "peak", "low_peak", "concentration", "low_concentration", "residual", "modes", "size", "size_squared", "offset",
  "roll", "agreement",
]; // prettier-ignore
const DECODERS = ["dark", "quarter", "argmax"];
const isNumbers = (/** @type {unknown} */ values, /** @type {number} */ count) =>
  Array.isArray(values) && values.length === count && values.every(Number.isFinite);

/**
 * @param {Uint8Array} bytes
 * @param {string} name Of the file.
 * @returns {Description}
 */
export function parseDescription(bytes, name) {
  let fields;
  try {
    fields = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new ReadableError(`${name} does not describe itself: export it from its .keras file.`);
  }
  const wrong = firstWrong(fields);
  if (wrong)
    throw new ReadableError(`${name}: ${wrong} in its description is not what this page knows: use a newer one.`);
  return fields;
}

/**
 * The first field that this page cannot work with, or null.
 * @param {any} fields
 * @returns {string | null}
 */
function firstWrong(fields) {
  if (fields?.version !== 1) return "version";
  if (typeof fields.name !== "string") return "name";
  if (!(fields.input_size >= 32 && fields.input_size % 4 === 0)) return "input_size";
  if (JSON.stringify(fields.input_range ?? [0, 1]) !== "[0,1]") return "input_range";
  if (!(fields.crop_factor > 0)) return "crop_factor";
  if (!(fields.sigma > 0)) return "sigma";
  if (!DECODERS.includes(fields.decoder)) return "decoder";
  const count = fields.skeleton?.names?.length ?? 0;
  if (!count || !pairs(fields.skeleton.edges, count)) return "skeleton";
  if (fields.skeleton.flip_pairs && !pairs(fields.skeleton.flip_pairs, count)) return "flip_pairs";
  if (fields.confidence && !knownConfidence(fields.confidence, count)) return "confidence";
  if (fields.detector && !(isNumbers(fields.detector.shift, 2) && fields.detector.scale > 0)) return "detector";
  return null;
}

/**
 * Whether all are pairs of landmarks.
 * @param {any} values
 * @param {number} count
 */
function pairs(values, count) {
  const inside = (/** @type {number} */ index) => Number.isInteger(index) && index >= 0 && index < count;
  return Array.isArray(values) && values.every((pair) => isNumbers(pair, 2) && pair.every(inside));
}

/**
 * @param {any} known
 * @param {number} count
 */
function knownConfidence(known, count) {
  const { mean, modes, spread } = known.shape ?? {};
  const shapes = Array.isArray(mean) && mean.length === count && mean.every((point) => isNumbers(point, 2));
  const deep =
    Array.isArray(modes) && modes.every((mode) => isNumbers(mode, 2 * count)) && isNumbers(spread, modes.length);
  const weights = isNumbers(known.one, FEATURES.length) && isNumbers(known.two, FEATURES.length + 1);
  const judged = known.threshold >= 0 && Number.isFinite(known.visible);
  return shapes && deep && weights && judged && JSON.stringify(known.features) === JSON.stringify(FEATURES);
}
