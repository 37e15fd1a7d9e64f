/**
 * What was found, in words and as JSON.
 *
 * @typedef {import("../core/types.js").Found} Found
 * @typedef {import("../core/types.js").Description} Description
 */

const DIGITS = 3;

/**
 * @param {Found[]} all
 * @param {Description} description
 * @param {boolean} faces
 */
export function words(all, description, faces) {
  const found = all.filter((each) => each.found);
  const kind = faces ? "face" : "person";
  if (!found.length) return `No ${kind} was found: drag a box around one.`;
  const sure = found.map(({ confidence }) => (confidence === null ? "" : ` (confidence ${confidence.toFixed(2)})`));
  const count = description.skeleton.names.length;
  const hidden = found[0].visible.filter((seen) => !seen).length;
  const rest = hidden ? `, ${hidden} of them unsure` : "";
  if (found.length === 1) return `One ${kind}${sure[0]}: ${count} points${rest}.`;
  return `${found.length} ${faces ? "faces" : "people"}${sure.join(",")}: ${count} points each.`;
}

/**
 * Points by name, in the picture's pixels.
 * @param {Found[]} all
 * @param {Description} description
 */
export function json(all, description) {
  const round = (/** @type {number} */ value) => Number(value.toFixed(DIGITS));
  const objects = all.map(({ box, landmarks, scores, confidence, found, visible }) => ({
    box: box.map(round),
    landmarks: landmarks.map((point) => point.map(round)),
    scores: scores.map(round),
    confidence: confidence === null ? null : round(confidence),
    found,
    visible,
  }));
  return JSON.stringify({ model: description.name, names: description.skeleton.names, objects });
}
