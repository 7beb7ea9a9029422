// What the explorer's buttons save: statistics of all gates as CSV, the figure as PNG and SVG.

import { toast } from "../app.js";
import { statistics } from "./api.js";
import * as figure from "./figure.js";
import { csv, save } from "./report.js";
import { pixels } from "./shapes.js";

/** Statistics of every feature, over all events, for all events and each gate. */
export async function saveCsv(data, labels, names, gates, young) {
  try {
    const found = await statistics(data.id, names, gates.list, undefined, young);
    const rows = Object.values(found).flatMap((gate) =>
      names.filter((name) => gate.features[name]).map((name) => ({ gate: gate.name, name, label: labels.label(name), unit: labels.unit(name), events: gate.events, share: gate.share, rate: gate.rate, numbers: gate.features[name] })),
    );
    save(csv(rows, `${data.name} ${location.href}`), "text/csv", `${data.name}_statistics.csv`);
  } catch (error) {
    toast(error.message);
  }
}

/** The plot at twice its size; `decorate` adds what stands beside the points. */
export async function savePng(scatter, caption, decorate, name) {
  save(await figure.png(scatter, caption, decorate), "image/png", `${name}.png`);
}

/** The plot as lines and text, with the outlines of its gates. */
export function saveSvg(scatter, caption, outlines, name) {
  const drawn = (copy) => outlines.filter((one) => one.points).map(({ gate, points }) => ({ points: pixels(points, copy), colour: gate.colour ?? "#888888", name: gate.name }));
  save(figure.svg(scatter, caption, drawn), "image/svg+xml", `${name}.svg`);
}

/** Title and foot of a figure: file, gate, events; server and date. */
export function caption(data, gate, selection) {
  return { title: `${data.name}${gate ? `, ${gate}` : ""}: ${selection}`, foot: `${location.origin}${data.url} · ${new Date().toISOString().slice(0, 10)}` };
}
