/** The files of docs/packed-format.md, section 6, and damaged ones. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { crc32, expanded, readModel } from "../src/core/packed_model.js";
import { ReadableError } from "../src/core/readable_error.js";

const page = readFileSync(new URL("../../docs/packed-format.md", import.meta.url), "utf8");
const blocks = [...page.matchAll(/```\n([0-9a-f\n]+)```/g)].map(([, hex]) =>
  Buffer.from(hex.replaceAll("\n", ""), "hex"),
);
const shipped = new Uint8Array(readFileSync(new URL("../../cunet_tf/weights/face-tiny.cunet", import.meta.url)));

test("the page's own files expand to what it prints", async () => {
  assert.equal(blocks.length, 6);
  for (let i = 0; i < blocks.length; i += 2) {
    const { tflite } = await expanded(new Uint8Array(blocks[i]), "page.cunet");
    assert.deepEqual(Buffer.from(tflite), blocks[i + 1]);
  }
});

test("a shipped file tells what it is", async () => {
  const { tflite, description } = await readModel(shipped, "face-tiny.cunet");
  assert.equal(String.fromCharCode(...tflite.subarray(4, 8)), "TFL3");
  assert.equal(description.skeleton.names.length, 68);
  assert.equal(description.input_size, 128);
});

test("every damage is refused in one sentence", async () => {
  const cases = [new Uint8Array(), shipped.subarray(0, 100), shipped.subarray(0, -1)];
  for (let at = 0; at < shipped.length; at += Math.ceil(shipped.length / 60)) {
    const bytes = shipped.slice();
    bytes[at] ^= 0x10;
    cases.push(bytes);
    const mended = bytes.slice(); // a right checksum does not make it right
    new DataView(mended.buffer).setUint32(mended.length - 4, crc32(mended.subarray(0, -4)), true);
    cases.push(mended);
  }
  for (const bytes of cases) {
    await assert.rejects(readModel(bytes, "x.cunet"), (/** @type {Error} */ error) => {
      assert.ok(error instanceof ReadableError, String(error.stack));
      assert.match(error.message, /^x\.cunet.*[.]$/);
      return true;
    });
  }
});

test("a newer version is refused before anything else is looked at", async () => {
  const bytes = shipped.slice();
  bytes[8] = 9;
  await assert.rejects(readModel(bytes, "x.cunet"), /version 9.*newer/);
});
