/** What went wrong in one sentence for the person at the screen, and what to do. */
export class ReadableError extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message);
    this.name = "ReadableError";
  }
}
