// The distribution of one feature: all events, and over it the selected ones.

import { token } from "./palette.js";
import { tickLabel } from "./scale.js";

const BINS = 80;

/** Counts of `values` (over `rows`, or all) in equal bins along `scale`. @returns {Float64Array} */
export function binned(values, scale, rows = null) {
  const counts = new Float64Array(BINS);
  const n = rows ? rows.length : values.length;
  for (let k = 0; k < n; k++) {
    const place = scale.position(values[rows ? rows[k] : k]);
    if (place >= 0 && place < 1) counts[(place * BINS) | 0]++;
  }
  return counts;
}

/** Draw the histogram of `values` along `scale` on a canvas. */
export function drawHistogram(canvas, values, scale, label, rows = null) {
  const box = canvas.getBoundingClientRect();
  const ratio = Math.min(2, window.devicePixelRatio || 1);
  canvas.width = Math.round(box.width * ratio);
  canvas.height = Math.round(box.height * ratio);
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  const plot = { left: 8, top: 6, width: box.width - 16, height: box.height - 44 };
  const all = binned(values, scale);
  const top = Math.max(1, ...all);
  bars(context, all, top, plot, token("surface-3").css);
  if (rows) bars(context, binned(values, scale, rows), top, plot, token("accent-fill").css);
  context.strokeStyle = token("ink-2").css;
  context.fillStyle = token("ink").css;
  context.beginPath();
  context.moveTo(plot.left, plot.top + plot.height + 0.5);
  context.lineTo(plot.left + plot.width, plot.top + plot.height + 0.5);
  context.stroke();
  const family = getComputedStyle(document.body).fontFamily;
  context.font = `12px ${family}`;
  context.textBaseline = "top";
  for (const tick of scale.ticks(Math.max(2, plot.width / 80), tickLabel)) {
    const at = plot.left + scale.position(tick.value) * plot.width;
    context.textAlign = at < 20 ? "left" : at > box.width - 20 ? "right" : "center";
    context.fillRect(Math.round(at), plot.top + plot.height, 1, 4);
    context.fillText(tick.label, at, plot.top + plot.height + 6);
  }
  context.textAlign = "center";
  context.textBaseline = "bottom";
  context.font = `600 12px ${family}`;
  context.fillText(label, box.width / 2, box.height, box.width);
}

function bars(context, counts, top, plot, colour) {
  context.fillStyle = colour;
  const width = plot.width / BINS;
  for (let i = 0; i < BINS; i++) {
    const height = (counts[i] / top) * plot.height;
    if (height > 0) context.fillRect(plot.left + i * width, plot.top + plot.height - height, Math.max(1, width - 0.5), height);
  }
}
