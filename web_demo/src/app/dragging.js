/**
 * A box that is dragged over a canvas.
 *
 * @typedef {import("../core/types.js").Box} Box
 * @typedef {import("../core/types.js").Point} Point
 */
import { draggedBox } from "../core/geometry.js";

const LEAST = 8; // pixels of the screen; shorter drags are clicks

/**
 * @param {import("./view.js").View} view
 * @param {(box: Box) => void} onMove While it is dragged.
 * @param {(box: Box) => void} onBox At its end.
 */
export function dragging(view, onMove, onBox) {
  const { canvas } = view;
  /** @type {Point | null} */
  let start = null;
  const box = (/** @type {PointerEvent} */ event) =>
    draggedBox(/** @type {Point} */ (start), view.place(event), canvas.width, canvas.height);
  canvas.addEventListener("pointerdown", (event) => {
    start = view.place(event);
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (start) onMove(box(event));
  });
  canvas.addEventListener("pointerup", (event) => {
    if (!start) return;
    const [x0, y0, x1, y1] = box(event);
    start = null;
    if (Math.min(x1 - x0, y1 - y0) >= LEAST * view.pixel) onBox([x0, y0, x1, y1]);
  });
  canvas.addEventListener("pointercancel", () => {
    start = null;
  });
}
