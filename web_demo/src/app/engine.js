/**
 * LiteRT in WebAssembly: from a model's bytes to a function.
 *
 * @typedef {import("../core/types.js").Description} Description
 * @typedef {import("../core/types.js").HeatMaps} HeatMaps
 */
import { loadAndCompile, loadLiteRt, Tensor } from "@litertjs/core";
import { ReadableError } from "../core/readable_error.js";

const WASM = new URL("../../litert/wasm/", import.meta.url).href;
const MOST_THREADS = 4; // more of them wait for each other: the networks are small
const BYTE = 255;

/** The runtime, loaded once. */
export class Engine {
  /** @param {number} threads */
  constructor(threads) {
    this.threads = threads;
  }

  /** How many this page may have. */
  static threadsHere() {
    return globalThis.crossOriginIsolated ? Math.min(MOST_THREADS, navigator.hardwareConcurrency) : 1;
  }

  /**
   * With threads where the page is isolated (COOP and COEP headers), else with one.
   * @returns {Promise<Engine>}
   */
  static async start() {
    const threads = Engine.threadsHere();
    try {
      await loadLiteRt(WASM, { threads: threads > 1 });
    } catch (error) {
      throw new ReadableError(
        `This browser cannot run models (${text(error)}): use a current Chrome, Edge, Firefox or Safari.`,
      );
    }
    return new Engine(threads);
  }

  /**
   * @param {Uint8Array} tflite
   * @param {string} name For messages.
   */
  async compile(tflite, name) {
    try {
      return await loadAndCompile(tflite, { accelerator: "wasm", cpuOptions: { numThreads: this.threads } });
    } catch (error) {
      if (/INT8/.test(text(error))) {
        throw new ReadableError(
          `${name} has int8 ends: make it for browsers with cunet export --format=packed-float-io.`,
        );
      }
      throw new ReadableError(`${name} cannot be run here (${text(error)}): export it again.`);
    }
  }

  /**
   * A network from a crop's bytes to heat maps.
   * @param {Uint8Array} tflite
   * @param {Description} description
   */
  async network(tflite, description) {
    const { name, input_size: side, skeleton } = description;
    const model = await this.compile(tflite, name);
    const [input, output] = [model.getInputDetails()[0], model.getOutputDetails()[0]];
    const wanted = [[1, side, side, 3], [1, side / 4, side / 4, skeleton.names.length]]; // prettier-ignore
    if ([...input.shape].join() !== wanted[0].join() || [...output.shape].join() !== wanted[1].join()) {
      throw new ReadableError(`${name}: its network is not the one that its description tells of: export it again.`);
    }
    const run = async (/** @type {Uint8Array} */ bytes) => {
      const values = new Float32Array(bytes); // Float32Array.from with a function is far slower
      for (let i = 0; i < values.length; i++) values[i] /= BYTE;
      const [found] = await runOnce(model, values, wanted[0]);
      return planes(found, side / 4, skeleton.names.length);
    };
    return { run, delete: () => model.delete() };
  }

  /**
   * A BlazeFace file; outputs are told apart by their last side.
   * @param {Uint8Array} tflite
   * @returns {Promise<import("../core/detector.js").BlazeNetwork>}
   */
  async detector(tflite) {
    const model = await this.compile(tflite, "The face detector");
    const { shape } = model.getInputDetails()[0];
    const last = model.getOutputDetails().map((each) => each.shape[each.shape.length - 1]);
    return async (values) => {
      const found = await runOnce(model, values, [...shape]);
      return { logits: found[last.indexOf(1)], values: found[last.findIndex((side) => side > 1)] };
    };
  }
}

/**
 * @param {import("@litertjs/core").CompiledModel} model
 * @param {Float32Array} values
 * @param {number[]} shape
 * @returns {Promise<Float32Array[]>}
 */
async function runOnce(model, values, shape) {
  const input = new Tensor(values, shape);
  try {
    const outputs = await model.run([input]);
    return outputs.map((output) => {
      const copy = new Float32Array(/** @type {Float32Array} */ (output.toTypedArray()));
      output.delete(); // the runtime's memory is not collected
      return copy;
    });
  } finally {
    input.delete();
  }
}

/**
 * One map for each landmark.
 * @param {Float32Array} values Row, column, landmark.
 * @param {number} side
 * @param {number} count
 * @returns {HeatMaps}
 */
function planes(values, side, count) {
  const maps = Array.from({ length: count }, () => new Float32Array(side * side));
  for (let i = 0, at = 0; i < side * side; i++) {
    for (let c = 0; c < count; c++) maps[c][i] = values[at++];
  }
  return { side, maps };
}

/** @param {unknown} error */
function text(error) {
  return error instanceof Error ? error.message.split("\n")[0] : String(error);
}
