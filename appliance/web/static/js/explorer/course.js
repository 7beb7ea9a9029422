// The time course: a feature over time with its running median, the event rate below, and the same as a table.

import { token } from "./palette.js";
import { limits, Scale, significant, tickLabel, whole } from "./scale.js";

const BINS = 60;
const PARTS = 10;
const LEAST_WINDOW = 15;

/** Median of each event and its neighbours, `window` together; at every `step`th event: [[time, median]]. Values that are none are left out. */
export function runningMedian(times, values, window, step) {
  const found = [];
  const half = window >> 1;
  for (let i = 0; i < values.length; i += step) {
    const some = Array.from(values.subarray(Math.max(0, i - half), i + half + 1)).filter(Number.isFinite).sort((a, b) => a - b);
    if (some.length) found.push([times[i], some.length % 2 ? some[some.length >> 1] : (some[some.length / 2 - 1] + some[some.length / 2]) / 2]);
  }
  return found;
}

/** Fills [data-course] from the explorer's columns. */
export class Course {
  constructor(root, explorer, { titleOf, words, names }) {
    Object.assign(this, { root, explorer, titleOf, words });
    this.at = (name) => root.querySelector(`[data-course-${name}]`);
    root.hidden = !names.includes("time");
    for (const name of names) if (name !== "time") this.at("feature").append(new Option(titleOf(name), name));
    if (names.includes("deform")) this.at("feature").value = "deform";
    this.at("feature").addEventListener("change", () => this.show());
    root.addEventListener("toggle", () => this.show());
  }

  /** Draw it, of the selected gate's events or of all; nothing while it is folded. */
  async show() {
    if (!this.root.open) return;
    const { columns, rows } = this.explorer;
    const [allTimes, allValues] = await Promise.all([columns.get("time"), columns.get(this.at("feature").value)]);
    const order = (rows ? Array.from(rows) : Array.from(allTimes.keys())).filter((row) => Number.isFinite(allTimes[row])).sort((a, b) => allTimes[a] - allTimes[b]);
    const times = Float32Array.from(order, (row) => allTimes[row]);
    const values = Float32Array.from(order, (row) => allValues[row]);
    const factor = columns.events / Math.max(1, columns.rows); // of a sample, each point stands for several events
    const window = Math.max(LEAST_WINDOW, Math.round(times.length / 50));
    const median = runningMedian(times, values, window, Math.max(1, Math.floor(times.length / 400)));
    this.#draw(times, values, median, factor);
    this.#table(times, values, factor);
    this.at("note").textContent = this.words.window.replace("{count}", whole(window));
  }

  #draw(times, values, median, factor) {
    const canvas = this.at("plot");
    const box = canvas.getBoundingClientRect();
    const ratio = Math.min(2, globalThis.devicePixelRatio || 1);
    canvas.width = Math.round(box.width * ratio);
    canvas.height = Math.round(box.height * ratio);
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    if (times.length < 2) return;
    const x = new Scale(times[0], times[times.length - 1]);
    const upper = { left: 66, top: 8, width: box.width - 76, height: box.height * 0.62 - 8 };
    const lower = { left: 66, top: box.height * 0.62 + 14, width: upper.width, height: box.height * 0.38 - 62 };
    const y = new Scale(...limits(values, false));
    const place = (plot, scale, time, value) => [plot.left + x.position(time) * plot.width, plot.top + (1 - scale.position(value)) * plot.height];
    context.save();
    context.beginPath();
    context.rect(upper.left, upper.top, upper.width, upper.height);
    context.clip();
    context.fillStyle = token("line-strong").css;
    context.globalAlpha = 0.5;
    for (let i = 0; i < times.length; i++) {
      const [px, py] = place(upper, y, times[i], values[i]);
      context.fillRect(px, py, 1.5, 1.5);
    }
    context.globalAlpha = 1;
    context.strokeStyle = token("bad").css;
    context.lineWidth = 2;
    context.beginPath();
    for (const [time, value] of median) context.lineTo(...place(upper, y, time, value));
    context.stroke();
    context.restore();
    const counts = new Float64Array(BINS);
    for (const time of times) counts[Math.min(BINS - 1, Math.floor(x.position(time) * BINS))]++;
    const seconds = (x.high - x.low) / BINS;
    const rates = counts.map((count) => (count * factor) / seconds);
    const rate = new Scale(0, Math.max(...rates) || 1);
    context.fillStyle = token("accent-fill").css;
    rates.forEach((value, i) => {
      const height = rate.position(value) * lower.height;
      context.fillRect(lower.left + (i * lower.width) / BINS, lower.top + lower.height - height, lower.width / BINS - 0.5, height);
    });
    context.fillStyle = token("ink").css;
    context.strokeStyle = token("ink-2").css;
    context.lineWidth = 1;
    context.font = `11px ${getComputedStyle(document.body).fontFamily}`;
    for (const [plot, scale, label] of [[upper, y, this.titleOf(this.at("feature").value)], [lower, rate, this.words.rate]]) {
      context.strokeRect(plot.left + 0.5, plot.top + 0.5, plot.width, plot.height);
      context.textAlign = "right";
      context.textBaseline = "middle";
      for (const tick of scale.ticks(Math.max(2, plot.height / 45), tickLabel)) context.fillText(tick.label, plot.left - 5, plot.top + (1 - scale.position(tick.value)) * plot.height);
      context.save();
      context.translate(8, plot.top + plot.height / 2);
      context.rotate(-Math.PI / 2);
      context.textAlign = "center";
      context.fillText(label, 0, 0, plot.height + 24);
      context.restore();
    }
    context.textAlign = "center";
    context.textBaseline = "top";
    for (const tick of x.ticks(Math.max(2, lower.width / 80), tickLabel)) context.fillText(tick.label, lower.left + x.position(tick.value) * lower.width, lower.top + lower.height + 5);
    context.fillText(this.words.time, lower.left + lower.width / 2, lower.top + lower.height + 22);
  }

  /** Ten parts of the measurement: from, to, events a second, median. */
  #table(times, values, factor) {
    const rows = [];
    const [first, last] = [times[0] ?? 0, times[times.length - 1] ?? 0];
    for (let part = 0; part < PARTS && times.length > 1; part++) {
      const [from, to] = [part, part + 1].map((one) => first + ((last - first) * one) / PARTS);
      const some = Array.from(values).filter((value, i) => Number.isFinite(value) && times[i] >= from && (times[i] < to || part === PARTS - 1)).sort((a, b) => a - b);
      const middle = some.length ? (some[(some.length - 1) >> 1] + some[some.length >> 1]) / 2 : NaN;
      const row = document.createElement("tr");
      const head = document.createElement("th");
      head.scope = "row";
      head.textContent = `${significant(from, 4)} – ${significant(to, 4)}`;
      row.append(head);
      for (const value of [(some.length * factor) / (to - from), middle]) {
        const cell = document.createElement("td");
        cell.className = "num";
        cell.textContent = significant(value, 4);
        row.append(cell);
      }
      rows.push(row);
    }
    this.at("table").replaceChildren(...rows);
  }
}
