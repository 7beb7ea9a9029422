// Mouse, touch and keyboard on the scatter plot: move, zoom, box, polygon, pick.

import * as shapes from "./shapes.js";

const DRAG = 4; // pixels before a press becomes a drag

/** Turns input into calls of `handlers`: view(scaleX, scaleY, done), sketch({points, open}|null), gate(conditions), features(), pick(row), leave(), reset(). */
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

  /** Choose a tool: pan, box, polygon, ellipse or range. Clicking an event picks it with each of them, except while a polygon is drawn. */
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
    } else if (this.tool !== "polygon") {
      this.handlers.sketch(this.#sketch(place));
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
    else if (this.tool !== "polygon") this.#finish(this.start, place);
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

  /** Which axes a range is about: the one along which the pointer has moved more. */
  #rangeAxis(a, b) {
    return Math.abs(b.x - a.x) >= Math.abs(b.y - a.y) ? "x" : "y";
  }

  /** The outline between where the pointer went down and where it is. */
  #sketch(place) {
    const { left, top, width, height } = this.scatter.plot;
    let [a, b] = [this.start, place];
    if (this.tool === "range") {
      [a, b] = this.#rangeAxis(a, b) === "x" ? [{ x: a.x, y: top }, { x: b.x, y: top + height }] : [{ x: left, y: a.y }, { x: left + width, y: b.y }];
    }
    const points = this.tool === "ellipse" ? round(a, b) : [[a.x, a.y], [b.x, a.y], [b.x, b.y], [a.x, b.y]];
    return { pixels: points };
  }

  /** A gate from what was drawn between two places; nothing for one without area. */
  #finish(from, to) {
    const axis = this.#rangeAxis(from, to);
    const thin = this.tool === "range" ? Math.abs(to[axis] - from[axis]) < 3 : shapes.isFlat([[from.x, from.y], [to.x, from.y], [to.x, to.y]]);
    this.handlers.sketch(null);
    if (thin) return this.handlers.tooSmall();
    const [a, b] = [from, to].map((place) => this.scatter.toValue(place.x, place.y)).map((value) => [value.x, value.y]);
    const { x, y } = this.handlers.features();
    const { scaleX, scaleY } = this.scatter;
    if (this.tool === "range") this.handlers.gate([axis === "x" ? shapes.range(x, a[0], b[0]) : shapes.range(y, a[1], b[1])]);
    else if (this.tool === "ellipse") this.handlers.gate(shapes.ellipse(x, y, a, b, { x: scaleX, y: scaleY }));
    else this.handlers.gate(shapes.box(x, y, a, b));
  }

  #showPath() {
    this.handlers.sketch({ pixels: this.path.map(([x, y]) => this.scatter.toPixel(x, y)).map((place) => [place.x, place.y]), open: true });
  }

  #closePolygon() {
    const path = thinned(this.path, (point) => this.scatter.toPixel(...point));
    const flat = path.length < 3 || shapes.isFlat(path.map((point) => this.scatter.toPixel(...point)).map((place) => [place.x, place.y]));
    this.path = [];
    this.handlers.sketch(null);
    if (flat) return this.handlers.tooSmall();
    const { x, y } = this.handlers.features();
    this.handlers.gate(shapes.polygon(x, y, path, { x: this.scatter.scaleX, y: this.scatter.scaleY }));
  }

  /** What is visible as a gate, in the shape of the tool. */
  #visible() {
    const { left, top, width, height } = this.scatter.plot;
    const tool = this.tool;
    if (tool === "pan" || tool === "polygon") this.tool = "box";
    this.#finish({ x: left, y: top + height }, { x: left + width, y: top });
    this.tool = tool;
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
      const drawing = this.path.length > 0;
      this.path = [];
      this.handlers.sketch(null);
      if (!drawing) this.handlers.leave();
    } else if (event.key === "Enter" && this.path.length > 2) {
      this.#closePolygon();
    } else if (event.key === "Enter" && event.shiftKey) {
      this.#visible();
    } else {
      return;
    }
    event.preventDefault();
  }
}

/** An ellipse on the canvas between two places. */
function round(a, b) {
  return Array.from({ length: 64 }, (_, i) => {
    const angle = (2 * Math.PI * i) / 64;
    return [(a.x + b.x) / 2 + (Math.cos(angle) * (b.x - a.x)) / 2, (a.y + b.y) / 2 + (Math.sin(angle) * (b.y - a.y)) / 2];
  });
}

/** Without the corners that lie within a pixel of the line through their neighbours (Douglas and Peucker), so that links stay short. */
function thinned(points, place) {
  if (points.length <= 12) return points;
  const spots = points.map(place);
  const keep = new Uint8Array(points.length);
  keep[0] = keep[points.length - 1] = 1;
  const open = [[0, points.length - 1]];
  while (open.length) {
    const [first, last] = open.pop();
    const [a, b] = [spots[first], spots[last]];
    const length = Math.hypot(b.x - a.x, b.y - a.y);
    let [far, most] = [-1, 1];
    for (let i = first + 1; i < last; i++) {
      const p = spots[i];
      const away = length < 1 ? Math.hypot(p.x - a.x, p.y - a.y) : Math.abs((b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x)) / length;
      if (away > most) [far, most] = [i, away];
    }
    if (far < 0) continue;
    keep[far] = 1;
    open.push([first, far], [far, last]);
  }
  return points.filter((_, i) => keep[i]);
}
