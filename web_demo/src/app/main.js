/**
 * The page: its controls, and what happens when they are used.
 *
 * @typedef {import("../core/types.js").Picture} Picture
 * @typedef {import("../core/types.js").Found} Found
 * @typedef {import("../core/types.js").Box} Box
 */
import { FaceDetector } from "../core/detector.js";
import { Localizer } from "../core/localizer.js";
import { ReadableError } from "../core/readable_error.js";
import { Tracker } from "../core/tracker.js";
import { Camera } from "./camera.js";
import { dragging } from "./dragging.js";
import { Engine } from "./engine.js";
import { fetched, findsFaces, listed, load } from "./models.js";
import { decoded } from "./pictures.js";
import { View } from "./view.js";
import { json, words } from "./words.js";

/** @template {HTMLElement} T @param {string} id @returns {T} */
const element = (id) => /** @type {T} */ (document.getElementById(id));

const controls = {
  picture: /** @type {HTMLInputElement} */ (element("picture")),
  camera: /** @type {HTMLButtonElement} */ (element("camera")),
  model: /** @type {HTMLSelectElement} */ (element("model")),
  flip: /** @type {HTMLInputElement} */ (element("flip")),
  crops: /** @type {HTMLInputElement} */ (element("crops")),
  again: /** @type {HTMLButtonElement} */ (element("again")),
};
const FACES = "face_detection_short_range.tflite";

class App {
  /** @param {Engine} engine */
  constructor(engine) {
    this.engine = engine;
    this.view = new View(/** @type {HTMLCanvasElement} */ (element("stage")));
    this.camera = new Camera(/** @type {HTMLVideoElement} */ (element("video")), (picture) => {
      this.looking = this.follow(picture);
      return this.looking;
    });
    /** @type {Picture | null} */
    this.picture = null;
    /** @type {{description: import("../core/types.js").Description, network: Awaited<ReturnType<Engine["network"]>>} | null} */
    this.model = null;
    /** @type {FaceDetector | null} */
    this.detector = null;
    /** @type {Tracker | null} */
    this.tracker = null;
    /** @type {Promise<void>} Until the camera's present frame was looked at. */
    this.looking = Promise.resolve();
    /** @type {Map<string, Uint8Array>} Model files that were dropped on the page, by name. */
    this.own = new Map();
  }

  /**
   * @param {Uint8Array} bytes
   * @param {string} name
   */
  async use(bytes, name) {
    const next = await load(this.engine, bytes, name);
    await this.looking; // a frame may still be in the old network
    this.model?.network.delete();
    this.model = next;
    this.tracker = null;
    const { description } = next;
    element("license").textContent = `${description.name}: ${description.license || "no terms given"}`;
    controls.flip.disabled = !description.skeleton.flip_pairs;
    controls.flip.checked &&= !controls.flip.disabled;
    if (findsFaces(description)) this.detector ??= new FaceDetector(await this.engine.detector(await fetched(FACES)));
  }

  /** With the options as they are set now. */
  localizer() {
    if (!this.model) throw new ReadableError("No model is loaded yet: choose one.");
    const options = { flipTest: controls.flip.checked, crops: /** @type {1 | 2} */ (controls.crops.checked ? 2 : 1) };
    return new Localizer(this.model.network.run, this.model.description, options);
  }

  /** The detector that the present model takes boxes of. */
  finder() {
    return this.model && findsFaces(this.model.description) ? this.detector : null;
  }

  /** @param {Picture} picture */
  async open(picture) {
    this.stopCamera();
    this.picture = picture;
    this.view.show(picture);
    await this.find();
  }

  /**
   * Landmarks of the picture, in a box, or wherever they are.
   * @param {Box | null} [box]
   */
  async find(box = null) {
    if (!this.picture) return;
    const start = performance.now();
    const found = await this.everything(this.picture, box);
    const milliseconds = performance.now() - start;
    this.present(this.picture, found, box, milliseconds);
  }

  /**
   * @param {Picture} picture
   * @param {Box | null} box
   */
  async everything(picture, box) {
    const localizer = this.localizer();
    const finder = this.finder();
    if (box || !finder) return [await localizer.locate(picture, box)];
    return localizer.locateAll(picture, await finder.detect(picture));
  }

  /** @param {Picture} picture */
  async follow(picture) {
    const start = performance.now();
    try {
      this.tracker ??= new Tracker(this.localizer(), this.finder());
      const found = await this.tracker.next(picture);
      if (this.camera.running) this.present(picture, found ? [found] : [], null, performance.now() - start);
    } catch (error) {
      this.stopCamera();
      complain(error);
    }
  }

  /**
   * @param {Picture} picture
   * @param {Found[]} found
   * @param {Box | null} box
   * @param {number} milliseconds
   */
  present(picture, found, box, milliseconds) {
    const { description } = /** @type {NonNullable<App["model"]>} */ (this.model);
    this.view.show(picture);
    for (const each of found) this.view.draw(each, description.skeleton);
    if (box) this.view.box(box);
    const said = words(found, description, findsFaces(description));
    this.view.canvas.setAttribute("aria-label", said);
    say(said);
    element("time").textContent =
      `${milliseconds.toFixed(0)} ms, ${this.engine.threads} thread${this.engine.threads > 1 ? "s" : ""}`;
    element("points").textContent = json(found, description);
  }

  async toggleCamera() {
    if (this.camera.running) return this.stopCamera();
    say("The browser asks whether this page may use the camera. Pictures stay on this device.");
    await this.camera.start();
    this.tracker = null;
    this.picture = null;
    document.body.dataset.camera = "on";
    controls.camera.textContent = "Stop the camera";
  }

  stopCamera() {
    this.camera.stop();
    delete document.body.dataset.camera;
    controls.camera.textContent = "Camera";
  }
}

/** @param {string} text */
function say(text) {
  element("status").textContent = text;
  delete element("status").dataset.error;
}

/** @param {unknown} error */
function complain(error) {
  if (!(error instanceof ReadableError)) console.error(error);
  const said = error instanceof ReadableError ? error.message : `Something went wrong (${error}): load the page again.`;
  element("status").textContent = said;
  element("status").dataset.error = "";
}

/**
 * Runs something that takes a while: the page says that it is busy, and what went wrong.
 * @param {() => Promise<unknown>} action
 */
async function busy(action) {
  document.body.dataset.state = "busy";
  try {
    await action();
  } catch (error) {
    complain(error);
  }
  document.body.dataset.state = "ready";
}

/**
 * A picture or a model, by its name.
 * @param {App} app
 * @param {File} file
 */
async function take(app, file) {
  if (!file.name.endsWith(".cunet")) return app.open(await decoded(file, file.name));
  const bytes = new Uint8Array(await file.arrayBuffer());
  await app.use(bytes, file.name);
  if (!app.own.has(file.name)) controls.model.add(new Option(file.name));
  app.own.set(file.name, bytes);
  controls.model.value = file.name;
  await app.find();
}

/**
 * @param {App} app
 * @param {import("./models.js").Listed[]} models
 */
async function choose(app, models) {
  const { value } = controls.model;
  const listed = models.find(({ name }) => name === value);
  if (!listed && !app.own.has(value)) return;
  say(`Loading ${value} ...`);
  const progress = (/** @type {number} */ share) => say(`Loading ${value}: ${Math.round(100 * share)} %`);
  const bytes = app.own.get(value) ?? (listed && (await fetched(listed.file, progress, listed.bytes)));
  await app.use(/** @type {Uint8Array} */ (bytes), value);
  say(app.finder() ? "Ready: choose a photograph." : "Ready: choose a photograph, then drag a box around a person.");
  await app.find();
}

/**
 * @param {App} app
 * @param {import("./models.js").Listed[]} models
 */
function wire(app, models) {
  controls.picture.addEventListener("change", () => {
    const [file] = controls.picture.files ?? [];
    controls.picture.value = ""; // so that the same file can be chosen again
    if (file) busy(() => take(app, file));
  });
  controls.model.addEventListener("change", () => busy(() => choose(app, models)));
  controls.camera.addEventListener("click", () => busy(() => app.toggleCamera()));
  controls.again.addEventListener("click", () => busy(() => app.find()));
  for (const option of [controls.flip, controls.crops]) {
    option.addEventListener("change", () => {
      app.tracker = null;
      busy(() => app.find());
    });
  }
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    const file = event.dataTransfer?.files[0];
    if (file) busy(() => take(app, file));
  });
  const redraw = (/** @type {Box} */ box) => {
    if (app.picture) app.view.show(app.picture);
    if (app.picture) app.view.box(box);
  };
  dragging(app.view, redraw, (box) => busy(() => app.find(box)));
}

/** Offline after the first load, and isolated, so that threads work, wherever the page is hosted. */
async function keepOffline() {
  if (!navigator.serviceWorker) return;
  await navigator.serviceWorker.register(new URL("../../service_worker.js", import.meta.url));
  await navigator.serviceWorker.ready;
  element("offline").textContent = "This page works offline now.";
}

await busy(async () => {
  const [engine, models] = await Promise.all([Engine.start(), listed()]);
  const app = new App(engine);
  for (const { name, bytes } of models)
    controls.model.add(new Option(`${name} (${Math.round(bytes / 1000)} kB)`, name));
  const wanted = new URLSearchParams(location.search).get("model");
  if (models.some(({ name }) => name === wanted)) controls.model.value = wanted ?? "";
  wire(app, models);
  await choose(app, models);
});
keepOffline().catch(() => {}); // private windows refuse it; the page works without
