// Several measurements in one plot: points of a sample, each series in its colour, and lines of equal density.

import { contours } from "../explorer/contours.js";
import { token } from "../explorer/palette.js";
import { tickLabel } from "../explorer/scale.js";

/** So many points have their full colour and size; more of them fade and shrink. */
const SOLID = 2000;
const MARGIN = { left: 66, right: 12, top: 10, bottom: 44 };

/** Positions (0…1) of the rows of a series on both axes: {px, py}. */
export function placed(series, scaleX, scaleY) {
  const px = Float32Array.from(series.x, (value) => scaleX.position(value));
  const py = Float32Array.from(series.y, (value) => scaleY.position(value));
  return { px, py };
}

/**
 * Draw series over each other. Points of all series are mixed, so that none lies on top of the others.
 * @param {{x: Float32Array, y: Float32Array, colour: string, sample: Uint32Array}[]} list
 */
export function draw(canvas, list, { scaleX, scaleY, labels, points, lines }) {
  const box = canvas.getBoundingClientRect();
  const ratio = Math.min(2, globalThis.devicePixelRatio || 1);
  canvas.width = Math.round(box.width * ratio);
  canvas.height = Math.round(box.height * ratio);
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  const plot = { left: MARGIN.left, top: MARGIN.top, width: box.width - MARGIN.left - MARGIN.right, height: box.height - MARGIN.top - MARGIN.bottom };
  if (plot.width < 20 || plot.height < 20) return;
  context.save();
  context.beginPath();
  context.rect(plot.left, plot.top, plot.width, plot.height);
  context.clip();
  const places = list.map((one) => placed(one, scaleX, scaleY));
  const at = (px, py) => [plot.left + px * plot.width, plot.top + (1 - py) * plot.height];
  if (points) drawPoints(context, list, places, at, look(list, lines ? 0.3 : 0.55));
  if (lines) list.forEach((one, i) => drawLines(context, one.colour, contours(places[i].px, places[i].py), at));
  context.restore();
  drawAxes(context, plot, scaleX, scaleY, labels);
}

/** Few points are solid and large, or nobody sees them beside the lines: {alpha, size [px]}. */
function look(list, least) {
  const share = SOLID / list.reduce((sum, one) => sum + one.sample.length, 0);
  return { alpha: Math.min(1, Math.max(least, share)), size: Math.min(3.6, Math.max(1.8, 3.6 * Math.sqrt(share))) };
}

function drawPoints(context, list, places, at, { alpha, size }) {
  context.globalAlpha = alpha;
  const most = Math.max(0, ...list.map((one) => one.sample.length));
  const turns = 40; // each series draws a part of its points in every turn
  for (let turn = 0; turn < turns; turn++) {
    list.forEach((one, i) => {
      context.fillStyle = one.colour;
      const [from, to] = [turn, turn + 1].map((part) => Math.floor((part * most) / turns));
      for (let k = from; k < to && k < one.sample.length; k++) {
        const row = one.sample[k];
        const [x, y] = at(places[i].px[row], places[i].py[row]);
        context.fillRect(x - size / 2, y - size / 2, size, size);
      }
    });
  }
  context.globalAlpha = 1;
}

function drawLines(context, colour, found, at) {
  context.strokeStyle = colour;
  for (const { level, segments } of found) {
    context.lineWidth = 1 + level;
    context.beginPath();
    for (const [x0, y0, x1, y1] of segments) {
      context.moveTo(...at(x0, y0));
      context.lineTo(...at(x1, y1));
    }
    context.stroke();
  }
}

function drawAxes(context, plot, scaleX, scaleY, labels) {
  const { left, top, width, height } = plot;
  const family = getComputedStyle(document.body).fontFamily;
  context.strokeStyle = token("ink-2").css;
  context.fillStyle = token("ink").css;
  context.lineWidth = 1;
  context.font = `11px ${family}`;
  context.strokeRect(left + 0.5, top + 0.5, width, height);
  context.textAlign = "center";
  context.textBaseline = "top";
  for (const tick of scaleX.ticks(Math.max(2, width / 80), tickLabel)) {
    const x = left + scaleX.position(tick.value) * width;
    context.fillRect(x, top + height, 1, 4);
    context.fillText(tick.label, x, top + height + 6);
  }
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (const tick of scaleY.ticks(Math.max(2, height / 50), tickLabel)) {
    const y = top + (1 - scaleY.position(tick.value)) * height;
    context.fillRect(left - 4, y, 4, 1);
    context.fillText(tick.label, left - 7, y);
  }
  context.font = `600 12px ${family}`;
  context.textAlign = "center";
  context.textBaseline = "alphabetic";
  context.fillText(labels.x, left + width / 2, top + height + 36, width);
  context.save();
  context.translate(13, top + height / 2);
  context.rotate(-Math.PI / 2);
  context.fillText(labels.y, 0, 0, height);
  context.restore();
}
