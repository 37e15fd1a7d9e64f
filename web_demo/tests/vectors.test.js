/** The vectors of docs/ports.md; only `upright` is not here: browsers turn pictures by themselves (browser.test.js). */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { withMirror, withTurned } from "../src/core/averages.js";
import { Border } from "../src/core/border.js";
import { decode, kernel, scoresOf } from "../src/core/decoder.js";
import { closerBox, cropMatrix, fromDetector, toPicture } from "../src/core/geometry.js";
import { Localizer } from "../src/core/localizer.js";
import { align, confidence, features } from "../src/core/shape.js";
import { crop } from "../src/core/warp.js";
import { near, nearBytes } from "./near.js";

const vectors = JSON.parse(readFileSync(new URL("../../docs/ports/vectors.json", import.meta.url), "utf8"));

/** Runs a check on every vector of a topic. */
function each(topic, check) {
  test(`vectors: ${topic}`, async () => {
    assert.ok(vectors[topic].length > 0);
    for (const [i, vector] of vectors[topic].entries()) await check(vector, `${topic}[${i}]`);
  });
}

/** The picture of the vectors, which has a formula. */
function picture(width, height) {
  const data = new Uint8Array(4 * width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++) data[4 * (y * width + x) + c] = (7 * x + 11 * y + 3 * x * y + 85 * c) % 256;
    }
  }
  return { width, height, data };
}

/** Heat maps of integers, listed landmark, row, column. */
function heatMaps(integers, { scale, zero_point: zero }) {
  const maps = integers.map((rows) => Float32Array.from(rows.flat(), (value) => scale * (value - zero)));
  return { side: integers[0][0].length, maps };
}

/** A crop's bytes as the vectors list them. */
function byChannel(bytes, side) {
  const value = (c, y, x) => bytes[3 * (y * side + x) + c];
  const places = Array.from({ length: side }, (_, i) => i);
  return [0, 1, 2].map((c) => places.map((y) => places.map((x) => value(c, y, x))));
}

/** Heat maps as the vectors list them. */
const rows = ({ side, maps }) =>
  maps.map((map) => Array.from({ length: map.length / side }, (_, y) => [...map.subarray(y * side, (y + 1) * side)]));

each("crop", (vector, where) => {
  const matrix = cropMatrix(vector, vector.size);
  near([matrix.slice(0, 3), matrix.slice(3)], vector.matrix, 1e-6, where);
  const bytes = crop(picture(vector.width, vector.height), matrix, vector.size);
  assert.equal(
    nearBytes(byChannel(bytes, vector.size), vector.crop, where),
    0,
    `${where}: bytes of float32 arithmetic`,
  );
});

each("output", (vector, where) => {
  const { maps } = heatMaps([[vector.integers]], vector);
  near([...maps[0]], vector.values, 1e-6, where);
});

each("smoothing", (vector, where) => {
  const weights = kernel(vector.sigma);
  near([...weights.subarray(weights.length >> 1)], vector.kernel_from_middle, 1e-6, where);
});

each("border", (vector, where) => {
  const border = new Border(vector.sigma, vector.side);
  near([...border.weights], vector.weights, 1e-5, where);
  for (const { cell, step, corrected } of vector.corrected)
    near(border.corrected(cell, step) - cell, corrected - 0, 1e-5, where);
});

each("decode", (vector, where) => {
  const heat = heatMaps(vector.maps, vector);
  near(scoresOf(heat), vector.scores, 1e-6, where);
  for (const decoder of ["argmax", "quarter", "dark"]) {
    near(decode(heat, decoder, vector.sigma), vector[decoder], 1e-4, `${where}.${decoder}`);
  }
});

each("to_picture", (vector, where) => {
  const matrix = cropMatrix(vector, vector.input_size);
  near(toPicture(vector.heatmap_points, matrix), vector.picture_points, 1e-5, where);
});

each("flip", (vector, where) => {
  const [maps, mirrored] = [vector.maps, vector.mirrored].map((integers) => heatMaps(integers, vector));
  near(rows(withMirror(maps, mirrored, vector.flip_pairs)), vector.mean, 1e-6, where);
});

each("crops", (vector, where) => {
  const [maps, turned] = [vector.maps, vector.turned].map((integers) => heatMaps(integers, vector));
  near(rows(withTurned(maps, turned)), vector.mean, 1e-6, where);
});

each("closer", (vector, where) => {
  const { roll } = align(vector.points, vector.mean);
  near(roll, vector.roll, 1e-5, where);
  near(closerBox(vector.points, roll), vector.box, 1e-5, where);
  near(closerBox(vector.points, 0), vector.box_without_a_mean, 1e-5, where);
});

each("detector", (vector, where) => {
  near(fromDetector(vector.detector, vector.box, vector.roll), vector.mapped, 1e-5, where);
});

each("confidence", (vector, where) => {
  const known = vector.confidence;
  const values = features(known, heatMaps(vector.maps, vector), vector.points, vector.scores, vector.before);
  near(
    values,
    known.features.slice(0, values.length).map((name) => vector.features[name]),
    1e-4,
    where,
  );
  near(confidence(known, values), vector.answer, 1e-4, where);
});

each("locate", async (vector, where) => {
  const crops = [];
  const network = async (bytes) => heatMaps(vector.maps[crops.push(bytes) - 1], vector);
  const options = { flipTest: vector.flip_test, crops: vector.crops ?? 1 };
  const localizer = new Localizer(network, vector.description, options);
  const found = await localizer.locate(picture(vector.width, vector.height), vector.box);
  assert.equal(crops.length, vector.maps.length, where);
  const side = vector.description.input_size;
  nearBytes(
    byChannel(crops[0], side).map((channel) => channel[32]),
    vector.first_crop_row_32,
    where,
  );
  const { box_from: _, ...object } = vector.object;
  near(found, object, 1e-3, where);
});
