/** Parts of the page, called inside of it: runs in the browser, so it may use nothing from here but its argument. */

/**
 * Landmarks of a picture file in a given box, or wherever the detector sees faces.
 * @param {{bytes: number[], box: number[] | null, model: string}} given
 */
export async function locate({ bytes, box, model }) {
  const at = (/** @type {string} */ name) => import(new URL(name, document.baseURI).href);
  const [{ Engine }, { fetched, load }, { decoded }, { Localizer }, { FaceDetector }] = await Promise.all(
    ["app/engine.js", "app/models.js", "app/pictures.js", "core/localizer.js", "core/detector.js"].map((name) =>
      at(`src/${name}`),
    ),
  );
  const kept = (globalThis.kept ??= { engine: new Engine(Engine.threadsHere()), models: {} });
  kept.models[model] ??= await load(kept.engine, await fetched(`${model}.cunet`), model);
  const { description, network } = kept.models[model];
  const picture = await decoded(new Blob([new Uint8Array(bytes)]), "test");
  const localizer = new Localizer(network.run, description);
  if (box) {
    const [{ cropMatrix }, { crop }] = [await at("src/core/geometry.js"), await at("src/core/warp.js")];
    const side = description.input_size;
    const seen = crop(picture, cropMatrix({ box, factor: description.crop_factor, roll: 0 }, side), side);
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", seen));
    const hex = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return { ...(await localizer.locate(picture, box)), crop: hex };
  }
  kept.detector ??= new FaceDetector(await kept.engine.detector(await fetched("face_detection_short_range.tflite")));
  return (await localizer.locateAll(picture, await kept.detector.detect(picture)))[0];
}

/**
 * Pixels of a decoded file: width, height, and red, green, blue of each.
 * @param {number[]} bytes
 */
export async function pixels(bytes) {
  const { decoded } = await import(new URL("src/app/pictures.js", document.baseURI).href);
  const { width, height, data } = await decoded(new Blob([new Uint8Array(bytes)]), "test");
  return { width, height, data: [...data].filter((_, i) => i % 4 !== 3) };
}
