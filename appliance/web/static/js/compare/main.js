// The overlay on the page of a comparison: one plot with all measurements, or one for each; mirrored in the address.

import { limits, Scale, significant, whole } from "../explorer/scale.js";
import { draw } from "./plot.js";
import { densest, Series } from "./series.js";

/** Points that are drawn at once. */
const MOST_POINTS = 60_000;

const root = document.getElementById("overlay");
const data = JSON.parse(document.getElementById("overlay-data").textContent);
const at = (name) => root.querySelector(`[data-${name}]`);
const controls = { x: at("x"), y: at("y"), xlog: at("xlog"), ylog: at("ylog"), points: at("points"), lines: at("lines"), multiples: at("multiples") };

class Overlay {
  constructor(all) {
    this.all = all;
    for (const control of Object.values(controls)) control.addEventListener("change", () => this.show());
    new ResizeObserver(() => this.draw()).observe(at("plots"));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  /** Fetch what the controls ask for, draw it, remember it in the address. */
  async show() {
    const turn = (this.turn = (this.turn ?? 0) + 1);
    root.setAttribute("aria-busy", "true");
    const most = Math.floor(MOST_POINTS / this.all.length);
    const found = await Promise.all(this.all.map((one) => one.select(controls.x.value, controls.y.value, data.gates, data.gate, most)));
    if (turn !== this.turn) return;
    this.list = found.filter((one) => one && one.x.length);
    const reach = (axis, log) => {
      const ends = this.list.map((one) => limits(one[axis], log));
      return ends.length ? new Scale(Math.min(...ends.map((one) => one[0])), Math.max(...ends.map((one) => one[1])), log) : new Scale(0, 1);
    };
    const chosen = (select) => select.selectedOptions[0]?.textContent ?? "";
    this.scaleX = reach("x", controls.xlog.checked);
    this.scaleY = reach("y", controls.ylog.checked);
    this.labels = { x: chosen(controls.x), y: chosen(controls.y) };
    this.#canvases();
    this.draw();
    this.#table();
    this.#remember();
    root.removeAttribute("aria-busy");
    root.dataset.ready = String(turn);
  }

  #canvases() {
    const many = controls.multiples.checked;
    const figure = (label, caption) => {
      const one = document.createElement("figure");
      const canvas = document.createElement("canvas");
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", label);
      one.append(canvas);
      if (caption) one.append(caption);
      return one;
    };
    const caption = ({ number, name }) => {
      const made = document.createElement("figcaption");
      made.className = "small";
      const mark = document.createElement("span");
      mark.className = `series series-${number}`;
      made.append(mark, ` ${number} ${name}`);
      return made;
    };
    const title = data.words.plot.replace("{y}", this.labels.y).replace("{x}", this.labels.x);
    at("plots").classList.toggle("overlay-many", many);
    at("plots").replaceChildren(...(many ? this.list.map((one) => figure(`${title}: ${one.number} ${one.name}`, caption(one))) : [figure(title)]));
  }

  /** Draw again: other size, other theme. */
  draw() {
    if (!this.list) return;
    for (const one of this.list) one.colour = colourOf(one.number);
    const how = { scaleX: this.scaleX, scaleY: this.scaleY, labels: this.labels, points: controls.points.checked, lines: controls.lines.checked };
    const canvases = [...at("plots").querySelectorAll("canvas")];
    canvases.forEach((canvas, i) => draw(canvas, controls.multiples.checked ? [this.list[i]] : this.list, how));
  }

  #table() {
    const rows = this.list.map((one) => {
      const row = document.createElement("tr");
      const head = document.createElement("th");
      head.scope = "row";
      head.textContent = `${one.number} ${one.name}`;
      const peak = densest(one, this.scaleX, this.scaleY) ?? [NaN, NaN];
      const cells = [whole(one.sample.length), whole(one.x.length), ...peak.map((value) => significant(value, 3))].map((text) => {
        const cell = document.createElement("td");
        cell.className = "num";
        cell.textContent = text;
        return cell;
      });
      row.append(head, ...cells);
      return row;
    });
    at("numbers").replaceChildren(...rows);
    at("densest-x").textContent = data.words.densest.replace("{feature}", this.labels.x);
    at("densest-y").textContent = data.words.densest.replace("{feature}", this.labels.y);
    const sampled = this.list.some((one) => one.sample.length < one.x.length || one.rows < one.events);
    const lacking = this.all.length - this.list.length;
    at("note").textContent = [sampled ? data.words.sampled : "", lacking ? data.words.lacking.replace("{count}", whole(lacking)) : ""].filter(Boolean).join(" ");
  }

  #remember() {
    const address = new URL(location.href);
    const query = address.searchParams;
    for (const key of ["x", "y"]) query.set(key, controls[key].value);
    for (const key of ["xlog", "ylog", "multiples"]) controls[key].checked ? query.set(key, "1") : query.delete(key);
    query.delete("draw");
    for (const key of ["points", "lines"]) if (controls[key].checked) query.append("draw", key);
    if (!query.has("draw")) query.set("draw", "none");
    if (address.href !== location.href) history.replaceState(null, "", address);
    const save = document.querySelector("[data-save-query]");
    if (save) save.value = query.toString();
  }
}

/** The colour that a series has in lists and charts. */
function colourOf(number) {
  return getComputedStyle(document.querySelector(`.compare-files .series-${number}`)).color;
}

async function start() {
  const opened = await Promise.allSettled(data.files.map((file) => Series.open(file)));
  const all = opened.filter((one) => one.status === "fulfilled").map((one) => one.value);
  if (all.length === 0) {
    at("note").textContent = data.words.failed;
    root.dataset.ready = "0";
    return;
  }
  await new Overlay(all).show();
}

start();
