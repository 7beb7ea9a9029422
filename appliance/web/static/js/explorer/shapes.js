// From what is drawn in the plot to the conditions of a gate, and back to outlines in the plot.

import { corners } from "./gates.js";
import { Scale } from "./scale.js";

const STEPS = 12; // pieces of an edge that a logarithmic axis bends

/** A number as gates have it: six significant digits. */
export function short(value) {
  return Number(value.toPrecision(6));
}

/** A rectangle between two points in values: two ranges. */
export function box(x, y, a, b) {
  return [range(x, a[0], b[0]), range(y, a[1], b[1])];
}

/** Values of one feature between two bounds. */
export function range(feature, a, b) {
  return { feature, min: short(Math.min(a, b)), max: short(Math.max(a, b)) };
}

/** A polygon; along a logarithmic axis its straight edges are bent in values, so that it gets more corners. */
export function polygon(x, y, points, scales) {
  return [{ x, y, points: (isLog(scales) ? pieces(points, scales, Math.max(2, Math.min(STEPS, Math.floor(480 / points.length)))) : points).map((point) => point.map(short)) }];
}

/** The ellipse in the rectangle between two points; on a logarithmic axis a polygon that looks like it. */
export function ellipse(x, y, a, b, scales) {
  if (!isLog(scales)) {
    const centre = [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2].map(short);
    const axes = [[Math.abs(b[0] - a[0]) / 2, 0], [0, Math.abs(b[1] - a[1]) / 2]].map((axis) => axis.map(short));
    return [{ x, y, centre, axes }];
  }
  const places = [a, b].map((point) => [scales.x.position(point[0]), scales.y.position(point[1])]);
  const round = corners({ centre: [(places[0][0] + places[1][0]) / 2, (places[0][1] + places[1][1]) / 2], axes: [[(places[1][0] - places[0][0]) / 2, 0], [0, (places[1][1] - places[0][1]) / 2]] });
  return [{ x, y, points: round.map(([px, py]) => [scales.x.value(px), scales.y.value(py)].map(short)) }];
}

/** Has what was drawn any area? `pixels`: its corners on the canvas. */
export function isFlat(pixels) {
  const [x, y] = [0, 1].map((axis) => pixels.map((point) => point[axis]));
  if (Math.max(...x) - Math.min(...x) < 3 || Math.max(...y) - Math.min(...y) < 3) return true;
  const [x0, y0] = pixels[0];
  const [x1, y1] = pixels.reduce((far, one) => (Math.hypot(one[0] - x0, one[1] - y0) > Math.hypot(far[0] - x0, far[1] - y0) ? one : far));
  const length = Math.hypot(x1 - x0, y1 - y0);
  return pixels.every(([px, py]) => Math.abs((x1 - x0) * (py - y0) - (y1 - y0) * (px - x0)) / length < 2);
}

/** What of the gates is seen on these axes: [{gate, points} | {gate, axis, low, high}], in values. */
export function outlines(gates, x, y) {
  const found = [];
  for (const gate of gates) {
    const ranges = gate.conditions.filter((one) => one.feature);
    const [rx, ry] = [x, y].map((name) => ranges.filter((one) => one.feature === name));
    if (gate.combine !== "or" && x !== y && rx.length === 1 && ry.length === 1 && [...rx, ...ry].every((one) => !one.inverted && isBounded(one))) {
      const [{ min: x0, max: x1 }] = rx;
      const [{ min: y0, max: y1 }] = ry;
      found.push({ gate, points: [[x0, y0], [x1, y0], [x1, y1], [x0, y1]] });
    } else {
      for (const [axis, some] of [["x", rx], ["y", ry]]) for (const one of some) found.push({ gate, axis, low: one.min ?? null, high: one.max ?? null });
    }
    for (const one of gate.conditions) {
      if (one.x === x && one.y === y) found.push({ gate, points: corners(one) });
      else if (one.x === y && one.y === x) found.push({ gate, points: corners(one).map(([a, b]) => [b, a]) });
    }
  }
  return found;
}

function isBounded(one) {
  return Number.isFinite(one.min) && Number.isFinite(one.max);
}

/** Draw outlines on the plot: lines in the gates' colours, the selected gate stronger, with their names. */
export function drawOutlines(context, scatter, found, active) {
  const { left, top, width, height } = scatter.plot;
  for (const { gate, points, axis, low, high } of found) {
    const strong = gate.name === active;
    context.strokeStyle = context.fillStyle = gate.colour ?? "#888888";
    context.lineWidth = strong ? 2.5 : 1.5;
    context.beginPath();
    let label;
    if (points) {
      const path = pixels(points, scatter);
      for (const [px, py] of path) context.lineTo(px, py);
      context.closePath();
      label = path.reduce((best, one) => (one[1] < best[1] ? one : best));
    } else {
      const scale = axis === "x" ? scatter.scaleX : scatter.scaleY;
      for (const bound of [low, high]) {
        if (bound === null) continue;
        const place = scale.position(bound);
        const [a, b] = axis === "x" ? [[left + place * width, top], [left + place * width, top + height]] : [[left, top + (1 - place) * height], [left + width, top + (1 - place) * height]];
        context.moveTo(...a);
        context.lineTo(...b);
        label = axis === "x" ? [a[0], top + 16] : [left + 34, a[1]];
      }
    }
    context.stroke();
    if (!label) continue;
    context.font = `${strong ? "600 " : ""}12px ${getComputedStyle(document.body).fontFamily}`;
    context.textAlign = "center";
    context.textBaseline = "bottom";
    context.lineWidth = 4;
    context.strokeStyle = scatter.theme.surface.css;
    const [lx, ly] = [Math.max(left + 30, Math.min(left + width - 30, label[0])), Math.max(top + 16, Math.min(top + height - 4, label[1] - 4))];
    context.strokeText(gate.name, lx, ly);
    context.fillText(gate.name, lx, ly);
  }
}

/** A polygon's corners on the canvas; along a logarithmic axis edges become curves. */
export function pixels(points, scatter) {
  const scales = { x: scatter.scaleX, y: scatter.scaleY };
  const all = isLog(scales) ? pieces(points, { x: new Scale(0, 1), y: new Scale(0, 1) }, STEPS) : points;
  return all.map(([x, y]) => scatter.toPixel(x, y)).filter((place) => Number.isFinite(place.x) && Number.isFinite(place.y)).map((place) => [place.x, place.y]);
}

/** Each edge in `steps` pieces that are equally long along `scales`. */
function pieces(points, scales, steps) {
  const places = points.map(([x, y]) => [scales.x.position(x), scales.y.position(y)]);
  return places.flatMap(([x, y], i) => {
    const [nx, ny] = places[(i + 1) % places.length];
    return Array.from({ length: steps }, (_, step) => [scales.x.value(x + ((nx - x) * step) / steps), scales.y.value(y + ((ny - y) * step) / steps)]);
  });
}

function isLog(scales) {
  return scales.x.log || scales.y.log;
}

/** The gate's conditions in a link of an older release (`sel=box:…` or `poly:…`), null for none. */
export function fromOldLink(text, x, y) {
  const [kind, rest] = (text ?? "").split(":");
  const numbers = (rest ?? "").split(/[,;]/).map(Number);
  if (!rest || !numbers.every(Number.isFinite)) return null;
  if (kind === "box" && numbers.length === 4) return box(x, y, [numbers[0], numbers[2]], [numbers[1], numbers[3]]);
  if (kind !== "poly" || numbers.length < 6 || numbers.length % 2) return null;
  return [{ x, y, points: Array.from({ length: numbers.length / 2 }, (_, i) => [numbers[2 * i], numbers[2 * i + 1]]) }];
}
