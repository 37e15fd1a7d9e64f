/**
 * Times models in headless Chromium, a round for each line on its input; `latency.py` drives it.
 *
 *     node tools/latency.js FOLDER RUNS
 *
 * FOLDER holds `list.json`, a list of {name, tflite, packed}: a .tflite file, or "" for the .cunet file itself, whose
 * description counts. Writes one JSON line for each round: milliseconds of a run, the median, by name and threads.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";

import { ready, serve, start } from "../tests/browser.js";

const [folder, runs] = [process.argv[2], Number(process.argv[3])];
const models = JSON.parse(readFileSync(path.join(folder, "list.json"), "utf8"));
const base64 = (/** @type {string} */ name) => (name ? readFileSync(path.join(folder, name)).toString("base64") : "");

/** In the page: compiles a model and keeps it. */
async function prepare({ name, tflite, packed }) {
  const at = (/** @type {string} */ file) => import(new URL(`src/${file}`, document.baseURI).href);
  const bytes = (/** @type {string} */ text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const [{ Engine }, { readModel }] = [await at("app/engine.js"), await at("core/packed_model.js")];
  const engine = new Engine(Engine.threadsHere());
  const model = await readModel(bytes(packed), name);
  const { run } = await engine.network(tflite ? bytes(tflite) : model.tflite, model.description);
  const side = model.description.input_size;
  const crop = Uint8Array.from({ length: 3 * side * side }, (_, i) => (i * 7919) % 256);
  (globalThis.models ??= {})[name] = () => run(crop);
  return engine.threads;
}

/** In the page: the median time of some runs. */
async function time([name, runs]) {
  const times = [];
  for (let i = 0; i < runs; i++) {
    const start = performance.now();
    await globalThis.models[name]();
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b)[times.length >> 1];
}

const browser = await start();
const pages = [];
for (const isolated of [false, true]) {
  const server = await serve(0, isolated);
  const context = await browser.newContext({ serviceWorkers: "block" });
  const page = await ready(context, server.address().port);
  let threads = 1;
  for (const { name, tflite, packed } of models) {
    threads = await page.evaluate(prepare, { name, tflite: base64(tflite), packed: base64(packed) });
    await page.evaluate(time, [name, 3]);
  }
  pages.push({ page, threads, server });
}
console.log("ready");
for await (const _ of createInterface({ input: process.stdin })) {
  const found = [];
  for (const { page, threads } of pages) {
    for (const { name } of models) found.push({ name, threads, ms: await page.evaluate(time, [name, runs]) });
  }
  console.log(JSON.stringify(found));
}
await browser.close();
for (const { server } of pages) server.close();
