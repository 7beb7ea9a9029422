// Density contours: levels of a smoothed histogram of what is visible, by marching squares.

import { BINS, grid } from "./density.js";

const LEVELS = [0.05, 0.2, 0.4, 0.6, 0.8];

/** Segments of the lines, in positions on the axes (0…1): [{level, segments: [[x0, y0, x1, y1]]}]. `level` is a share of the highest density. */
export function contours(px, py) {
  const smooth = grid(px, py);
  let top = 0;
  for (const value of smooth) if (value > top) top = value;
  return top === 0 ? [] : LEVELS.map((level) => ({ level, segments: march(smooth, level * top) }));
}

function march(values, level) {
  const found = [];
  const place = (cell) => (cell + 0.5) / BINS;
  for (let j = 0; j < BINS - 1; j++) {
    for (let i = 0; i < BINS - 1; i++) {
      const at = j * BINS + i;
      const [a, b, c, d] = [values[at], values[at + 1], values[at + BINS + 1], values[at + BINS]];
      const crossings = [];
      if (a > level !== b > level) crossings.push([place(i + (level - a) / (b - a)), place(j)]);
      if (b > level !== c > level) crossings.push([place(i + 1), place(j + (level - b) / (c - b))]);
      if (d > level !== c > level) crossings.push([place(i + (level - d) / (c - d)), place(j + 1)]);
      if (a > level !== d > level) crossings.push([place(i), place(j + (level - a) / (d - a))]);
      for (let k = 0; k + 1 < crossings.length; k += 2) found.push([...crossings[k], ...crossings[k + 1]]);
    }
  }
  return found;
}

/** Draw the lines on the plot. */
export function drawContours(context, scatter, found) {
  const { left, top, width, height } = scatter.plot;
  context.strokeStyle = scatter.theme.ink.css;
  for (const { level, segments } of found) {
    context.lineWidth = 0.8 + level;
    context.beginPath();
    for (const [x0, y0, x1, y1] of segments) {
      context.moveTo(left + x0 * width, top + (1 - y0) * height);
      context.lineTo(left + x1 * width, top + (1 - y1) * height);
    }
    context.stroke();
  }
}
