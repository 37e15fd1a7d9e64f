/**
 * One object through the frames of a camera: looked for where it was, and anew when it is lost.
 *
 * @typedef {import("./types.js").Picture} Picture
 * @typedef {import("./types.js").Found} Found
 */

/** Follows the surest object. */
export class Tracker {
  /**
   * @param {import("./localizer.js").Localizer} localizer
   * @param {import("./detector.js").FaceDetector | null} detector Without one the whole picture is looked at.
   */
  constructor(localizer, detector) {
    this.localizer = localizer;
    this.detector = detector;
    /** @type {Found | null} */
    this.last = null;
  }

  /**
   * @param {Picture} picture
   * @returns {Promise<Found | null>} Null where nothing is found.
   */
  async next(picture) {
    const { last } = this;
    const again = last && (await this.localizer.closeIn(picture, this.localizer.closer(last.landmarks), 0));
    const found = again?.found ? again : await this.anew(picture);
    this.last = found?.found ? found : null;
    return this.last;
  }

  /** @param {Picture} picture */
  async anew(picture) {
    if (!this.detector) return this.localizer.locate(picture);
    const [best] = await this.detector.glance(picture);
    return best ? this.localizer.locateDetected(picture, best) : null;
  }
}
