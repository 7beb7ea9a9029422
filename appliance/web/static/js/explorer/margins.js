// What stands around the plot: histograms along both axes, and the bar that says what colours mean.

import { binned } from "./histogram.js";
import { map } from "./palette.js";
import { Scale, tickLabel } from "./scale.js";

/** Draw the histograms of `x` and `y` (of the selected rows, or all) above and beside the plot, `size` pixels high. */
export function drawMarginals(context, scatter, x, y, rows, size) {
  const { left, top, width, height } = scatter.plot;
  for (const [values, scale, along] of [[x, scatter.scaleX, "x"], [y, scatter.scaleY, "y"]]) {
    const all = binned(values, scale);
    const some = rows ? binned(values, scale, rows) : null;
    const most = Math.max(1, ...all);
    for (const [counts, colour] of [[all, scatter.theme.line.css], [some, scatter.theme.accent.css]]) {
      if (!counts) continue;
      context.fillStyle = colour;
      const step = (along === "x" ? width : height) / counts.length;
      counts.forEach((count, i) => {
        const length = (count / most) * (size - 4);
        if (along === "x") context.fillRect(left + i * step, top - 2 - length, Math.max(1, step - 0.5), length);
        else context.fillRect(left + width + 2, top + height - (i + 1) * step, length, Math.max(1, step - 0.5));
      });
    }
  }
}

/** Draw the bar of colours at the right edge: from `low` to `high` of the feature called `label`. */
export function drawColourBar(context, scatter, { low, high, label }) {
  const { top, height } = scatter.plot;
  const left = scatter.width - 62;
  for (let i = 0; i < height; i++) {
    const packed = map[Math.round(255 * (1 - i / Math.max(1, height - 1)))];
    context.fillStyle = `rgb(${packed & 255} ${(packed >> 8) & 255} ${(packed >> 16) & 255})`;
    context.fillRect(left, top + i, 12, 1.5);
  }
  context.strokeStyle = scatter.theme["ink-2"].css;
  context.lineWidth = 1;
  context.strokeRect(left + 0.5, top + 0.5, 11, height - 1);
  context.fillStyle = scatter.theme.ink.css;
  context.font = `11px ${getComputedStyle(document.body).fontFamily}`;
  context.textAlign = "left";
  context.textBaseline = "middle";
  const scale = new Scale(low, high);
  for (const tick of scale.ticks(Math.max(2, height / 60), tickLabel)) context.fillText(tick.label, left + 15, top + (1 - scale.position(tick.value)) * height, 30);
  context.save();
  context.translate(scatter.width - 4, top + height / 2);
  context.rotate(-Math.PI / 2);
  context.textAlign = "center";
  context.textBaseline = "bottom";
  context.fillText(label, 0, 0, height);
  context.restore();
}
