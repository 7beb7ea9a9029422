// The scatter plot on a plain 2-D canvas: points are written into the pixels of one image, which keeps a million of them fluid.

import { density, drawingOrder, randomOrder } from "./density.js";
import { map, packed, token } from "./palette.js";
import { tickLabel } from "./scale.js";

const MARGIN = { left: 66, right: 14, top: 12, bottom: 48 };

/** Draws columns `x` and `y` under two scales; knows where a pixel is in values. */
export class Scatter {
  /** @param {{width: number, height: number, ratio: number} | null} fixed size [CSS pixels] of a canvas that is not on the page */
  constructor(canvas, fixed = null) {
    this.canvas = canvas;
    this.fixed = fixed;
    this.right = 0; // room beside the plot, and above it
    this.above = 0;
    this.context = canvas.getContext("2d", { alpha: false });
    this.selected = null;
    this.sketch = null;
    this.overlay = null;
    this.marked = -1;
    this.labels = { x: "", y: "" };
    this.readTheme();
  }

  /** Colours follow the page's theme. */
  readTheme() {
    this.theme = Object.fromEntries(["surface", "ink", "ink-2", "line", "accent", "bad"].map((name) => [name, token(name)]));
  }

  /** Take over the size the page gives the canvas. */
  resize() {
    const box = this.fixed ?? this.canvas.getBoundingClientRect();
    const ratio = this.fixed?.ratio ?? Math.min(2, window.devicePixelRatio || 1);
    this.ratio = ratio;
    this.width = Math.max(200, Math.round(box.width));
    this.height = Math.max(200, Math.round(box.height));
    this.canvas.width = Math.round(this.width * ratio);
    this.canvas.height = Math.round(this.height * ratio);
    this.plot = { left: MARGIN.left, top: MARGIN.top + this.above, width: this.width - MARGIN.left - MARGIN.right - this.right, height: this.height - MARGIN.top - this.above - MARGIN.bottom };
    const { width, height } = this.plot;
    this.image = this.context.createImageData(Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio)));
    this.pixels = new Uint32Array(this.image.data.buffer);
  }

  /** Show other data. `colours`: null for density, else a colour index (0…255) of each point. */
  setData(x, y, colours = null) {
    this.x = x;
    this.y = y;
    this.given = colours;
    this.coloured = null;
    this.positions = null;
  }

  /** Show another part of the plane. */
  setScales(x, y) {
    if (!this.scaleX || x.log !== this.scaleX.log || y.log !== this.scaleY.log) this.positions = null;
    this.scaleX = x;
    this.scaleY = y;
  }

  /** Positions of all points on the axes, in the axes' own measure (log10 where logarithmic), made once per choice of axes. */
  #prepare() {
    if (this.positions) return;
    this.positions = { x: measured(this.x, this.scaleX.log), y: measured(this.y, this.scaleY.log) };
    this.coloured = null;
  }

  /** Colours by density of what is visible now; not while moving, so that colours do not flicker. */
  recolour() {
    this.#prepare();
    if (this.given) {
      this.#order(this.given, randomOrder(this.given.length));
      return;
    }
    const { px, py } = this.places();
    const colours = density(px, py);
    this.#order(colours, drawingOrder(colours));
  }

  /** Positions and colours one after the other as they are drawn: a frame reads memory from front to back, several times faster than here and there. */
  #order(colours, order) {
    const n = order.length;
    const [x, y, colour] = [new Float32Array(n), new Float32Array(n), new Uint32Array(n)];
    for (let k = 0; k < n; k++) {
      const i = order[k];
      x[k] = this.positions.x[i];
      y[k] = this.positions.y[i];
      colour[k] = map[colours[i]];
    }
    this.coloured = { order, x, y, colour };
  }

  /** Where all points are along the axes as they are now: 0…1 for those that are visible. */
  places() {
    this.#prepare();
    const n = this.x.length;
    const px = new Float32Array(n);
    const py = new Float32Array(n);
    const { x, y } = this.positions;
    const [ax, bx] = [1 / this.scaleX.span, -this.scaleX.from / this.scaleX.span];
    const [ay, by] = [1 / this.scaleY.span, -this.scaleY.from / this.scaleY.span];
    for (let i = 0; i < n; i++) {
      px[i] = x[i] * ax + bx;
      py[i] = y[i] * ay + by;
    }
    return { px, py };
  }

  /** Draw everything. `fast`: leave the colours as they were. */
  draw() {
    if (!this.x || !this.scaleX) return;
    this.#prepare();
    if (!this.coloured) this.recolour();
    const context = this.context;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = this.theme.surface.css;
    context.fillRect(0, 0, this.canvas.width, this.canvas.height);
    this.#drawPoints();
    context.putImageData(this.image, Math.round(this.plot.left * this.ratio), Math.round(this.plot.top * this.ratio));
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    if (this.bare) return;
    this.#drawAxes();
    this.around?.(this.context);
    this.#clip(() => this.overlay?.(this.context));
    this.#drawSketch();
    this.#drawMark();
  }

  #drawPoints() {
    const { width, height } = this.image;
    const pixels = this.pixels;
    pixels.fill(packed(...this.theme.surface.rgb));
    const { order, x, y, colour } = this.coloured;
    const n = order.length;
    const dot = Math.max(1, Math.round((n > 300000 ? 1 : n > 20000 ? 2 : n > 3000 ? 3 : 4) * (this.ratio > 1.4 ? 1.5 : 1)));
    const half = dot >> 1;
    const ax = width / this.scaleX.span;
    const bx = -this.scaleX.from * ax - half;
    const ay = -height / this.scaleY.span;
    const by = height - this.scaleY.from * ay - half;
    const faded = this.selected ? packed(...mixed(this.theme.surface.rgb, this.theme["ink-2"].rgb, 0.28)) : 0;
    const inside = this.selected;
    if (dot === 1 && !inside) {
      for (let k = 0; k < n; k++) {
        const left = x[k] * ax + bx + 0.5;
        const top = y[k] * ay + by + 0.5;
        if (left >= 0 && left < width && top >= 0 && top < height) pixels[(top | 0) * width + (left | 0)] = colour[k];
      }
      return;
    }
    for (let pass = inside ? 0 : 1; pass < 2; pass++) {
      for (let k = 0; k < n; k++) {
        if (inside && (inside[order[k]] === 1) !== (pass === 1)) continue;
        const left = Math.round(x[k] * ax + bx);
        const top = Math.round(y[k] * ay + by);
        if (!(left > -dot && left < width && top > -dot && top < height)) continue;
        const shown = pass === 0 ? faded : colour[k];
        const endX = Math.min(width, left + dot);
        const endY = Math.min(height, top + dot);
        for (let row = Math.max(0, top); row < endY; row++) {
          const base = row * width;
          for (let column = Math.max(0, left); column < endX; column++) pixels[base + column] = shown;
        }
      }
    }
  }

  #drawAxes() {
    const context = this.context;
    const { left, top, width, height } = this.plot;
    context.strokeStyle = this.theme["ink-2"].css;
    context.fillStyle = this.theme.ink.css;
    context.lineWidth = 1;
    context.strokeRect(left + 0.5, top + 0.5, width - 1, height - 1);
    context.font = `12px ${getComputedStyle(document.body).fontFamily}`;
    context.textBaseline = "top";
    context.textAlign = "center";
    for (const { axis, at, label } of this.ticks()) {
      context.textAlign = axis === "x" ? "center" : "right";
      context.textBaseline = axis === "x" ? "top" : "middle";
      const length = label ? 6 : 3;
      if (axis === "x") line(context, at, top + height, at, top + height + length);
      else line(context, left - length, at, left, at);
      if (axis === "x") context.fillText(label, at, top + height + 8);
      else context.fillText(label, left - 9, at);
    }
    context.font = `600 13px ${getComputedStyle(document.body).fontFamily}`;
    context.textAlign = "center";
    context.textBaseline = "bottom";
    context.fillText(this.labels.x, left + width / 2, this.height - 4, width);
    context.save();
    context.translate(6, top + height / 2);
    context.rotate(-Math.PI / 2);
    context.textBaseline = "top";
    context.fillText(this.labels.y, 0, 0, height);
    context.restore();
  }

  /** The ticks of both axes, and where they are on the canvas. */
  ticks() {
    const { left, top, width, height } = this.plot;
    const x = this.scaleX.ticks(Math.max(2, width / 90), tickLabel).map((tick) => ({ axis: "x", label: tick.label, at: Math.round(left + this.scaleX.position(tick.value) * width) + 0.5 }));
    const y = this.scaleY.ticks(Math.max(2, height / 60), tickLabel).map((tick) => ({ axis: "y", label: tick.label, at: Math.round(top + height - this.scaleY.position(tick.value) * height) + 0.5 }));
    return [...x, ...y];
  }

  /** What is being drawn: {pixels, open}. */
  #drawSketch() {
    const { pixels, open } = this.sketch ?? {};
    if (!pixels?.length) return;
    const context = this.context;
    this.#clip(() => {
      context.beginPath();
      for (const [x, y] of pixels) context.lineTo(x, y);
      if (!open) context.closePath();
      context.strokeStyle = this.theme.bad.css;
      context.lineWidth = 2;
      context.setLineDash([5, 4]);
      context.stroke();
      context.setLineDash([]);
    });
  }

  #drawMark() {
    if (this.marked < 0) return;
    const place = this.toPixel(this.x[this.marked], this.y[this.marked]);
    const context = this.context;
    this.#clip(() => {
      for (const [radius, width, colour] of [[7, 4, this.theme.surface.css], [7, 2, this.theme.bad.css]]) {
        context.beginPath();
        context.arc(place.x, place.y, radius, 0, 2 * Math.PI);
        context.lineWidth = width;
        context.strokeStyle = colour;
        context.stroke();
      }
    });
  }

  #clip(draw) {
    const { left, top, width, height } = this.plot;
    this.context.save();
    this.context.beginPath();
    this.context.rect(left, top, width, height);
    this.context.clip();
    draw();
    this.context.restore();
  }

  /** Place on the canvas [CSS pixels] of a point in values. */
  toPixel(x, y) {
    return { x: this.plot.left + this.scaleX.position(x) * this.plot.width, y: this.plot.top + (1 - this.scaleY.position(y)) * this.plot.height };
  }

  /** The point in values at a place on the canvas, and its position on the axes. */
  toValue(x, y) {
    const px = (x - this.plot.left) / this.plot.width;
    const py = 1 - (y - this.plot.top) / this.plot.height;
    return { px, py, x: this.scaleX.value(px), y: this.scaleY.value(py) };
  }

  /** The row whose point is nearest to a place on the canvas, -1 when none is within `radius` pixels. */
  nearest(x, y, radius = 14) {
    const { x: mx, y: my } = this.positions;
    const ax = this.plot.width / this.scaleX.span;
    const ay = -this.plot.height / this.scaleY.span;
    const bx = this.plot.left - this.scaleX.from * ax - x;
    const by = this.plot.top + this.plot.height - this.scaleY.from * ay - y;
    let best = radius * radius;
    let found = -1;
    for (let i = 0; i < mx.length; i++) {
      const dx = mx[i] * ax + bx;
      const dy = my[i] * ay + by;
      const distance = dx * dx + dy * dy;
      if (distance < best) {
        best = distance;
        found = i;
      }
    }
    return found;
  }
}

function measured(values, log) {
  if (!log) return values;
  const found = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) found[i] = Math.log10(values[i]);
  return found;
}

function mixed(a, b, share) {
  return a.map((value, channel) => Math.round(value + (b[channel] - value) * share));
}

function line(context, x0, y0, x1, y1) {
  context.beginPath();
  context.moveTo(x0, y0);
  context.lineTo(x1, y1);
  context.stroke();
}
