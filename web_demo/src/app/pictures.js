/**
 * Photographs as upright pixels: from a file, or from a frame of the camera.
 *
 * @typedef {import("../core/types.js").Picture} Picture
 */
import { ReadableError } from "../core/readable_error.js";

const MEGAPIXELS = 100; // larger pictures are refused
const FRAME = 640; // longer side of a camera's frame, pixels

/**
 * Turned as its EXIF says, without a colour profile (docs/ports.md, section 1).
 * @param {Blob} file
 * @param {string} name
 * @returns {Promise<Picture>}
 */
export async function decoded(file, name) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: "from-image", colorSpaceConversion: "none" });
  } catch {
    throw new ReadableError(`${name} is no picture that this browser can read: take a JPEG, PNG or WebP file.`);
  }
  try {
    if (bitmap.width * bitmap.height > MEGAPIXELS * 1e6) {
      throw new ReadableError(`${name} has more than ${MEGAPIXELS} megapixels: make it smaller.`);
    }
    return pixels(bitmap, bitmap.width, bitmap.height, name);
  } finally {
    bitmap.close();
  }
}

/**
 * The present frame of a video, made smaller.
 * @param {HTMLVideoElement} video
 * @returns {Picture}
 */
export function frame(video) {
  const zoom = Math.min(1, FRAME / Math.max(video.videoWidth, video.videoHeight));
  return pixels(
    video,
    Math.round(zoom * video.videoWidth),
    Math.round(zoom * video.videoHeight),
    "The camera's picture",
  );
}

/**
 * @param {CanvasImageSource} source
 * @param {number} width
 * @param {number} height
 * @param {string} name
 * @returns {Picture}
 */
function pixels(source, width, height, name) {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new ReadableError(`${name} is too large for this browser: make it smaller.`);
  context.drawImage(source, 0, 0, width, height);
  return { width, height, data: context.getImageData(0, 0, width, height).data };
}
