// Mouse, touch and keyboard on the scatter plot: move, zoom, box, polygon, pick.

import { Box, Polygon } from "./selection.js";

const DRAG = 4; // pixels before a press becomes a drag

/** Turns input into calls of `handlers`: view(scaleX, scaleY, done), shape(shape|null), pick(row), hint(text). */
export class Tools {
  constructor(scatter, handlers) {
    this.scatter = scatter;
    this.handlers = handlers;
    this.tool = "pan";
    this.path = [];
    this.pointers = new Map();
    const canvas = scatter.canvas;
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    canvas.addEventListener("pointerup", (event) => this.#up(event));
    canvas.addEventListener("pointercancel", (event) => this.#up(event, true));
    canvas.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    for (const end of ["pointerleave", "blur"]) canvas.addEventListener(end, () => (this.active = false));
    canvas.addEventListener("dblclick", () => this.#double());
    canvas.addEventListener("keydown", (event) => this.#key(event));
  }

  /** Choose a tool: pan, box or polygon. Clicking an event picks it with each of them, except while a polygon is drawn. */
  choose(tool) {
    this.tool = tool;
    this.path = [];
    this.scatter.canvas.dataset.tool = tool;
  }

  #place(event) {
    const box = this.scatter.canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  #down(event) {
    if (event.button !== 0) return;
    this.active = true; // until the pointer leaves, the wheel belongs to the plot
    const place = this.#place(event);
    this.scatter.canvas.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, place);
    this.start = { ...place, scaleX: this.scatter.scaleX, scaleY: this.scatter.scaleY, dragged: false };
    if (this.pointers.size === 2) this.pinch = { ...this.#spread(), scaleX: this.scatter.scaleX, scaleY: this.scatter.scaleY };
  }

  #move(event) {
    if (!this.pointers.has(event.pointerId)) return;
    const place = this.#place(event);
    this.pointers.set(event.pointerId, place);
    if (this.pointers.size === 2) return this.#pinched();
    const { x, y } = this.start;
    if (!this.start.dragged && Math.hypot(place.x - x, place.y - y) < DRAG) return;
    this.start.dragged = true;
    if (this.tool === "pan") {
      const { width, height } = this.scatter.plot;
      this.handlers.view(this.start.scaleX.moved((x - place.x) / width), this.start.scaleY.moved((place.y - y) / height), false);
    } else if (this.tool === "box") {
      this.handlers.shape(this.#box(place), false);
    } else {
      const value = this.scatter.toValue(place.x, place.y);
      this.path.push([value.x, value.y]);
      this.#showPath();
    }
  }

  #up(event, cancelled = false) {
    if (!this.pointers.delete(event.pointerId)) return;
    const pinched = this.pinch;
    if (this.pointers.size < 2) this.pinch = null;
    if (pinched || cancelled) {
      if (pinched) this.handlers.view(this.scatter.scaleX, this.scatter.scaleY, true);
      return;
    }
    const place = this.#place(event);
    if (!this.start.dragged) return this.#click(place);
    if (this.tool === "pan") this.handlers.view(this.scatter.scaleX, this.scatter.scaleY, true);
    else if (this.tool === "box") this.handlers.shape(this.#box(place), true);
    else if (this.path.length > 8) this.#closePolygon(); // drawn in one stroke
  }

  #click(place) {
    if (this.tool === "polygon") {
      const first = this.path[0] && this.scatter.toPixel(...this.path[0]);
      if (first && this.path.length > 2 && Math.hypot(first.x - place.x, first.y - place.y) < 10) return this.#closePolygon();
      const value = this.scatter.toValue(place.x, place.y);
      this.path.push([value.x, value.y]);
      return this.#showPath();
    }
    const row = this.scatter.nearest(place.x, place.y);
    if (row >= 0) this.handlers.pick(row);
  }

  #double() {
    if (this.tool === "polygon" && this.path.length > 2) this.#closePolygon();
    else if (this.tool !== "polygon") this.handlers.reset();
  }

  #box(place) {
    const a = this.scatter.toValue(this.start.x, this.start.y);
    const b = this.scatter.toValue(place.x, place.y);
    return new Box(a.x, b.x, a.y, b.y);
  }

  #showPath() {
    this.handlers.shape({ points: this.path, open: true }, false);
  }

  #closePolygon() {
    const shape = new Polygon(thinned(this.path), { x: this.scatter.scaleX, y: this.scatter.scaleY });
    this.path = [];
    this.handlers.shape(shape, true);
  }

  /** Without Ctrl, and before a click into the plot, the wheel scrolls the page as everywhere. */
  #wheel(event) {
    if (!(event.ctrlKey || event.metaKey || this.active)) return;
    event.preventDefault();
    const place = this.#place(event);
    const value = this.scatter.toValue(place.x, place.y);
    const factor = Math.exp(Math.max(-0.6, Math.min(0.6, event.deltaY * 0.0016)));
    const onlyX = value.py < 0;
    const onlyY = value.px < 0;
    this.handlers.view(onlyY ? this.scatter.scaleX : this.scatter.scaleX.zoomed(factor, value.px), onlyX ? this.scatter.scaleY : this.scatter.scaleY.zoomed(factor, value.py), false);
    clearTimeout(this.settle);
    this.settle = setTimeout(() => this.handlers.view(this.scatter.scaleX, this.scatter.scaleY, true), 180);
  }

  #spread() {
    const [a, b] = [...this.pointers.values()];
    return { distance: Math.hypot(a.x - b.x, a.y - b.y), x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
  }

  #pinched() {
    const now = this.#spread();
    const factor = this.pinch.distance / Math.max(20, now.distance);
    const { left, top, width, height } = this.scatter.plot;
    const px = (this.pinch.x - left) / width;
    const py = 1 - (this.pinch.y - top) / height;
    const x = this.pinch.scaleX.zoomed(factor, px).moved((this.pinch.x - now.x) / width);
    const y = this.pinch.scaleY.zoomed(factor, py).moved((now.y - this.pinch.y) / height);
    this.handlers.view(x, y, false);
  }

  #key(event) {
    const step = event.shiftKey ? 0.02 : 0.1;
    const { scaleX, scaleY } = this.scatter;
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
    if (event.key in moves) {
      const [dx, dy] = moves[event.key];
      this.handlers.view(scaleX.moved(dx), scaleY.moved(dy), true);
    } else if (event.key === "+" || event.key === "-") {
      const factor = event.key === "+" ? 0.8 : 1.25;
      this.handlers.view(scaleX.zoomed(factor, 0.5), scaleY.zoomed(factor, 0.5), true);
    } else if (event.key === "0") {
      this.handlers.reset();
    } else if (event.key === "Escape") {
      this.path = [];
      this.handlers.shape(null, true);
    } else if (event.key === "Enter" && this.path.length > 2) {
      this.#closePolygon();
    } else if (event.key === "Enter" && event.shiftKey) {
      this.handlers.shape(new Box(scaleX.low, scaleX.high, scaleY.low, scaleY.high), true);
    } else {
      return;
    }
    event.preventDefault();
  }
}

/** At most about 120 corners, so that the link stays short. */
function thinned(points) {
  const step = Math.max(1, Math.ceil(points.length / 120));
  return points.filter((_, i) => i % step === 0);
}
