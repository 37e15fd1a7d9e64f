/**
 * The models beside the page, and files of the user's own.
 *
 * @typedef {import("../core/types.js").Description} Description
 *
 * @typedef {{name: string, file: string, bytes: number}} Listed
 */
import { ReadableError } from "../core/readable_error.js";
import { readModel } from "../core/packed_model.js";

const FOLDER = new URL("../../models/", import.meta.url);

/** @returns {Promise<Listed[]>} */
export async function listed() {
  return JSON.parse(new TextDecoder().decode(await fetched("models.json")));
}

/**
 * A file beside the page.
 * @param {string} file
 * @param {(share: number) => void} [progress] 0 to 1.
 * @param {number} [expected] Bytes, where they are known.
 * @returns {Promise<Uint8Array>}
 */
export async function fetched(file, progress, expected) {
  let answer;
  try {
    answer = await fetch(new URL(file, FOLDER));
  } catch {
    throw new ReadableError(`${file} could not be loaded: is there a connection?`);
  }
  if (!answer.ok || !answer.body)
    throw new ReadableError(`${file} could not be loaded (${answer.status}): was make web run?`);
  const parts = [];
  let done = 0;
  for (const reader = answer.body.getReader(); ; ) {
    const part = await reader.read();
    if (part.done) break;
    parts.push(part.value);
    done += part.value.length;
    if (expected) progress?.(Math.min(done / expected, 1));
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

/**
 * @param {import("./engine.js").Engine} engine
 * @param {Uint8Array} bytes
 * @param {string} name
 */
export async function load(engine, bytes, name) {
  const { tflite, description } = await readModel(bytes, name);
  return { description, network: await engine.network(tflite, description) };
}

/**
 * Whether the detector of this page finds what a model wants.
 * @param {Description} description
 */
export function findsFaces(description) {
  return description.detector?.name === "blazeface";
}
