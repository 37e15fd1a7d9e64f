/** The camera: permission, its stream, and one frame after the other. */
import { ReadableError } from "../core/readable_error.js";
import { frame } from "./pictures.js";

/** @type {Record<string, string>} */
const REASONS = {
  NotAllowedError:
    "The camera was not allowed: click the camera beside the page's address, allow it, and press Camera again. Photographs work without it.",
  NotFoundError: "No camera was found: plug one in, or choose a photograph.",
  NotReadableError: "Another program is using the camera: close it and press Camera again.",
  OverconstrainedError: "This camera gives no pictures of a usable size: choose a photograph.",
};

/** One camera; `stop` gives it back. */
export class Camera {
  /**
   * @param {HTMLVideoElement} video
   * @param {(picture: import("../core/types.js").Picture) => Promise<void>} onFrame Called again when it has ended.
   */
  constructor(video, onFrame) {
    this.video = video;
    this.onFrame = onFrame;
    /** @type {MediaStream | null} */
    this.stream = null;
  }

  get running() {
    return this.stream !== null;
  }

  async start() {
    if (!navigator.mediaDevices) {
      throw new ReadableError(
        "Browsers give the camera to https pages and to localhost only: open this page from there.",
      );
    }
    try {
      const video = { facingMode: "user", width: { ideal: 1280 } };
      this.stream = await navigator.mediaDevices.getUserMedia({ video, audio: false });
    } catch (error) {
      const name = error instanceof DOMException ? error.name : "";
      throw new ReadableError(REASONS[name] ?? "The camera could not be opened: choose a photograph.");
    }
    this.stream.getVideoTracks()[0].addEventListener("ended", () => this.stop());
    this.video.srcObject = this.stream;
    await this.video.play();
    this.watch();
  }

  stop() {
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = null;
    this.video.srcObject = null;
  }

  /** Frame after frame; those that come while one is looked at are left out. */
  async watch() {
    while (this.stream) {
      await new Promise((resolve) => requestAnimationFrame(resolve));
      if (this.stream && this.video.videoWidth) await this.onFrame(frame(this.video));
    }
  }
}
