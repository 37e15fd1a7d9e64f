/** The built page in headless Chromium: what people do with it, and Python's answers beside its own. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { after, before, test } from "node:test";

import { choose, found, ready, ROOT, serve, settled, start, status } from "./browser.js";
import { locate, pixels } from "./in_page.js";

const GOLDEN = new URL("web_demo/build/golden/", ROOT);
const SHOTS = new URL("web_demo/build/screenshots/", ROOT).pathname;
const ASTRONAUT = "docs/pictures/astronaut.jpg";
const SAME_PIXELS = 0.1; // pixels of the picture, in the same box
const SAME_BOX = 0.01; // of a detector, a float network that adds in another order
const DETECTED = 2; // in such a box: a millionth of a pixel is a grey level, which moves points of few bits (docs/ports.md)
const read = (/** @type {string} */ name, base = GOLDEN) => readFileSync(new URL(name, base));

let server, port, browser, page;

before(async () => {
  mkdirSync(SHOTS, { recursive: true });
  server = await serve(0);
  port = server.address().port;
  browser = await start();
  page = await ready(await browser.newContext({ viewport: { width: 900, height: 800 } }), port);
});

after(async () => {
  await browser?.close();
  server?.close();
});

const shot = (/** @type {string} */ name, of = page) => of.screenshot({ path: `${SHOTS}${name}.png` });

test("points are Python's on the same pixels", async (t) => {
  const rows = JSON.parse(read("golden.json").toString());
  const apart = { given: [0], detected: [0] };
  for (const { picture, model, box, crop, object } of rows) {
    const ours = await page.evaluate(locate, { bytes: [...read(picture)], box, model });
    const distances = ours.landmarks.map(([x, y], i) =>
      Math.hypot(x - object.landmarks[i][0], y - object.landmarks[i][1]),
    );
    const largest = Math.max(...distances);
    apart[box ? "given" : "detected"].push(largest);
    if (box) assert.equal(ours.crop, crop, `${picture}: bytes of the crop`);
    assert.ok(largest <= (box ? SAME_PIXELS : DETECTED), `${picture} ${model}: ${largest} pixels apart`);
    assert.ok(Math.abs(ours.confidence - object.confidence) <= 0.01, `${picture}: confidence ${ours.confidence}`);
    ours.box.forEach((value, i) => assert.ok(Math.abs(value - object.box[i]) <= SAME_BOX, `${picture}: box`));
  }
  for (const [name, values] of Object.entries(apart)) {
    t.diagnostic(
      `boxes ${name}: ${values.length - 1} pictures, largest difference ${Math.max(...values).toFixed(6)} px`,
    );
  }
});

test("the whole chain gives the vector of docs/ports.md", async () => {
  const vectors = JSON.parse(read("docs/ports/vectors.json", ROOT).toString());
  for (const { picture, box, landmarks, confidence, found: sure } of vectors.network) {
    const ours = await page.evaluate(locate, { bytes: [...read(picture, ROOT)], box, model: "face-mobile" });
    ours.landmarks.forEach((point, i) =>
      point.forEach((value, k) => assert.ok(Math.abs(value - landmarks[i][k]) <= 0.01, `landmark ${i}`)),
    );
    assert.ok(Math.abs(ours.confidence - confidence) <= 0.01 && ours.found === sure);
  }
});

test("photographs are turned as their EXIF says", async () => {
  for (let tag = 1; tag <= 8; tag++) {
    const [ours, python] = [
      await page.evaluate(pixels, [...read(`turned_${tag}.jpg`)]),
      await page.evaluate(pixels, [...read(`turned_${tag}.png`)]),
    ];
    assert.deepEqual([ours.width, ours.height], [python.width, python.height], `orientation ${tag}`);
    const apart = ours.data.map((value, i) => Math.abs(value - python.data[i]));
    const mean = apart.reduce((sum, value) => sum + value, 0) / apart.length;
    assert.ok(mean < 1, `orientation ${tag}: ${mean} grey levels apart`); // two JPEG decoders
  }
});

test("a photograph is chosen", async () => {
  await choose(page, ASTRONAUT);
  assert.match(await status(page), /^One face \(confidence 0\.\d+\): 68 points/);
  assert.equal(await page.getAttribute("#stage", "aria-label"), await status(page));
  await shot("photograph");
});

test("mirror image and second crop change the points a little", async () => {
  await choose(page, ASTRONAUT);
  const [plain] = (await found(page)).objects;
  for (const option of ["#flip", "#crops"]) {
    await page.check(option);
    await settled(page);
    const [ours] = (await found(page)).objects;
    const apart = ours.landmarks.map(([x, y], i) => Math.hypot(x - plain.landmarks[i][0], y - plain.landmarks[i][1]));
    assert.ok(Math.max(...apart) > 0 && Math.max(...apart) < 12, `${option}: ${Math.max(...apart)}`);
    await page.uncheck(option);
    await settled(page);
  }
});

test("a picture is dropped", async () => {
  await drop(page, "astronaut.jpg", "image/jpeg", read(ASTRONAUT, ROOT));
  assert.match(await status(page), /^One face/);
});

test("broken files are refused in one sentence, and the page goes on", async () => {
  const photograph = read(ASTRONAUT, ROOT);
  await choose(page, { name: "cut.jpg", mimeType: "image/jpeg", buffer: photograph.subarray(0, 60) });
  assert.match(await status(page), /^cut\.jpg is no picture that this browser can read: take a JPEG/);
  assert.ok(await page.isVisible("#status[data-error]"));
  await shot("refused");
  const model = read("cunet_tf/weights/face-tiny.cunet", ROOT);
  await drop(page, "cut.cunet", "", model.subarray(0, 5000));
  assert.match(await status(page), /^cut\.cunet is damaged \(it is cut short\): load or export it again\.$/);
  await drop(page, "phone.cunet", "", model);
  assert.match(await status(page), /int8 ends: make it for browsers with cunet export --format=packed-float-io\.$/);
  await choose(page, ASTRONAUT);
  assert.match(await status(page), /^One face/);
});

test("a picture without a face says what to do", async () => {
  const grey = await page.evaluate(async () => {
    const canvas = new OffscreenCanvas(200, 150);
    canvas.getContext("2d").fillRect(0, 0, 200, 150);
    const blob = await canvas.convertToBlob();
    return [...new Uint8Array(await blob.arrayBuffer())];
  });
  await choose(page, { name: "grey.png", mimeType: "image/png", buffer: Buffer.from(grey) });
  assert.equal(await status(page), "No face was found: drag a box around one.");
});

test("a model of one's own is dropped", async () => {
  await choose(page, ASTRONAUT);
  await drop(page, "mine.cunet", "", read("web_demo/build/models/face-tiny.cunet", ROOT));
  assert.match(await status(page), /^One face/);
  assert.equal((await found(page)).model, "face-tiny");
  for (const [value, model] of [
    ["face-mobile", "face-mobile"],
    ["mine.cunet", "face-tiny"],
  ]) {
    await page.selectOption("#model", value);
    await settled(page);
    assert.equal((await found(page)).model, model);
  }
});

test("a body is found in a dragged box", async () => {
  await page.selectOption("#model", "pose-mobile");
  await settled(page);
  await choose(page, ASTRONAUT);
  const { x, y, width, height } = await page.locator("#stage").boundingBox();
  await page.mouse.move(x + 0.08 * width, y + 0.06 * height);
  await page.mouse.down();
  await page.mouse.move(x + 0.9 * width, y + 0.97 * height, { steps: 4 });
  await page.mouse.up();
  await settled(page);
  const { objects, names } = await found(page);
  assert.equal(objects[0].landmarks.length, names.length);
  assert.ok(objects[0].box[0] > 10 && objects[0].box[0] < 60, String(objects[0].box));
  await shot("body");
  await page.selectOption("#model", "face-mobile");
  await settled(page);
});

test("without a camera, or with a denied one, the page says what to do", async () => {
  await page.click("#camera");
  await page.waitForSelector("#status[data-error]");
  assert.equal(await status(page), "No camera was found: plug one in, or choose a photograph.");
  const own = await start(["--use-fake-device-for-media-stream", "--deny-permission-prompts"]);
  try {
    const live = await ready(await own.newContext({ viewport: { width: 900, height: 800 } }), port);
    await live.click("#camera");
    await live.waitForSelector("#status[data-error]");
    assert.match(await status(live), /^The camera was not allowed: click the camera beside the page's address/);
    await shot("denied", live);
    await choose(live, ASTRONAUT);
    assert.match(await status(live), /^One face/);
  } finally {
    await own.close();
  }
});

test("the camera is followed, and stopped", async () => {
  const flags = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"];
  const film = `--use-file-for-fake-video-capture=${new URL("camera.mjpeg", GOLDEN).pathname}`;
  const own = await start([...flags, film]);
  try {
    const live = await ready(await own.newContext({ viewport: { width: 900, height: 800 } }), port);
    await live.click("#camera");
    await live.waitForFunction(() => document.getElementById("status").textContent.startsWith("One face"));
    await shot("camera", live);
    await live.selectOption("#model", "face-tiny"); // while a frame is looked at
    await live.waitForFunction(() => JSON.parse(document.getElementById("points").textContent).model === "face-tiny");
    assert.match(await status(live), /^One face/);
    await live.click("#camera");
    assert.equal(await live.evaluate(() => document.getElementById("video").srcObject), null);
    assert.equal(await live.textContent("#camera"), "Camera");
  } finally {
    await own.close();
  }
});

test("without headers the second load has threads, without a connection the third one works", async (t) => {
  const bare = await serve(0, false);
  const context = await browser.newContext({ viewport: { width: 420, height: 800 }, colorScheme: "dark" });
  const live = await context.newPage();
  const sizes = [];
  live.on("response", (answer) => sizes.push(answer.body().then((body) => body.length, () => 0))); // prettier-ignore
  await live.goto(`http://localhost:${bare.address().port}/`);
  await settled(live);
  assert.equal(await live.evaluate(() => crossOriginIsolated), false);
  const bytes = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
  t.diagnostic(`a visit loads ${bytes.toLocaleString("en")} bytes`);
  await live.waitForFunction(() => document.getElementById("offline").textContent !== "");
  await live.reload();
  await settled(live);
  assert.equal(await live.evaluate(() => crossOriginIsolated), true);
  bare.closeAllConnections();
  await new Promise((resolve) => bare.close(resolve));
  await live.reload();
  await settled(live);
  await choose(live, ASTRONAUT);
  assert.match(await status(live), /^One face/);
  await shot("dark_and_narrow", live);
  await context.close();
});

/**
 * Drops a file on the page.
 * @param {import("playwright-core").Page} on
 * @param {string} name
 * @param {string} type
 * @param {Buffer} buffer
 */
async function drop(on, name, type, buffer) {
  const transfer = await on.evaluateHandle(
    ([name, type, bytes]) => {
      const data = new DataTransfer();
      data.items.add(new File([new Uint8Array(bytes)], name, { type }));
      return data;
    },
    [name, type, [...buffer]],
  );
  await on.dispatchEvent("main", "drop", { dataTransfer: transfer });
  await settled(on);
}
