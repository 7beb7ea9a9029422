// The plot as a figure for slides and papers: PNG at twice the size, or SVG, with title, axes, number of events, file and server.

import { Scatter } from "./scatter.js";

const WIDTH = 800;
const HEIGHT = 600;
const TITLE = 30;
const FOOT = 22;

/** A scatter plot on a canvas of its own, of the size of a figure, that shows what `shown` shows. */
function copied(shown, prepare) {
  const canvas = document.createElement("canvas");
  const copy = new Scatter(canvas, { width: WIDTH, height: HEIGHT - TITLE - FOOT, ratio: 2 });
  Object.assign(copy, { labels: shown.labels, right: shown.right, above: shown.above, selected: shown.selected });
  copy.resize();
  copy.setData(shown.x, shown.y, shown.given);
  copy.setScales(shown.scaleX, shown.scaleY);
  copy.coloured = shown.coloured;
  prepare(copy);
  copy.draw();
  return copy;
}

/** The figure as PNG. `prepare` gives a plot its overlays. @returns {Promise<Blob>} */
export function png(shown, { title, foot }, prepare) {
  const plot = copied(shown, prepare);
  const canvas = document.createElement("canvas");
  canvas.width = WIDTH * 2;
  canvas.height = HEIGHT * 2;
  const context = canvas.getContext("2d", { alpha: false });
  context.fillStyle = shown.theme.surface.css;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(plot.canvas, 0, TITLE * 2);
  context.fillStyle = shown.theme.ink.css;
  const family = getComputedStyle(document.body).fontFamily;
  context.font = `600 30px ${family}`;
  context.fillText(title, 24, 42, canvas.width - 48);
  context.font = `20px ${family}`;
  context.fillText(foot, 24, canvas.height - 14, canvas.width - 48);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

/** The figure as SVG: points as a picture, everything else as lines and text. `outlines`: [{points, colour, name}] in pixels of the plot. */
export function svg(shown, { title, foot }, outlines) {
  let drawn = [];
  const plot = copied(shown, (copy) => {
    copy.bare = true;
    drawn = outlines(copy);
  });
  const { left, top, width, height } = plot.plot;
  const ink = shown.theme.ink.css;
  const points = document.createElement("canvas");
  points.width = width * 2;
  points.height = height * 2;
  points.getContext("2d").drawImage(plot.canvas, -left * 2, -top * 2);
  const escape = (text) => String(text).replace(/[<>&"]/g, (one) => `&#${one.charCodeAt(0)};`);
  const text = (x, y, content, more = "") => `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${more}>${escape(content)}</text>`;
  const y0 = top + TITLE;
  const lines = plot.ticks().map(({ axis, at, label }) =>
    axis === "x"
      ? `<path d="M${at} ${y0 + height}v6" stroke="${ink}"/>${text(at, y0 + height + 20, label, 'text-anchor="middle"')}`
      : `<path d="M${left} ${at + TITLE}h-6" stroke="${ink}"/>${text(left - 9, at + TITLE + 4, label, 'text-anchor="end"')}`,
  );
  const gates = drawn.map(({ points: path, colour, name }) => `<polygon points="${path.map(([x, y]) => `${x.toFixed(1)},${(y + TITLE).toFixed(1)}`).join(" ")}" fill="none" stroke="${escape(colour)}" stroke-width="2"><title>${escape(name)}</title></polygon>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" font-family="sans-serif" font-size="12" fill="${ink}">
<rect width="100%" height="100%" fill="${shown.theme.surface.css}"/>
${text(12, 21, title, 'font-size="15" font-weight="600"')}
<clipPath id="plot"><rect x="${left}" y="${y0}" width="${width}" height="${height}"/></clipPath>
<image x="${left}" y="${y0}" width="${width}" height="${height}" href="${points.toDataURL("image/png")}"/>
<g clip-path="url(#plot)">${gates.join("")}</g>
<rect x="${left}" y="${y0}" width="${width}" height="${height}" fill="none" stroke="${ink}"/>
${lines.join("\n")}
${text(left + width / 2, HEIGHT - FOOT - 6, shown.labels.x, 'text-anchor="middle" font-weight="600"')}
<text transform="translate(16 ${y0 + height / 2}) rotate(-90)" text-anchor="middle" font-weight="600">${escape(shown.labels.y)}</text>
${text(12, HEIGHT - 7, foot, 'font-size="10"')}
</svg>`;
}
