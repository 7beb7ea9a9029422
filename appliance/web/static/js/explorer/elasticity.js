// Young's modulus and isoelasticity lines: the server computes them with dclab's look-up tables, under the conditions chosen here.

import { significant } from "./scale.js";

const FEATURE = "emodulus";
const FIELDS = ["lut", "medium", "temperature", "viscosity", "model"];

/** Wires [data-young]; draws lines over the plot. `changed` is called when there are other values or lines. */
export class Elasticity {
  constructor(root, explorer, { url, words, title }) {
    Object.assign(this, { root, explorer, url, words, title, lines: [] });
    this.field = Object.fromEntries([...FIELDS, "lines"].map((name) => [name, root.querySelector(`[data-young-${name}]`)]));
    this.note = root.querySelector("[data-young-note]");
    for (const one of Object.values(this.field)) one.addEventListener("change", () => this.#changed());
  }

  /** Take over what a link asks for; before the first plot. */
  read(asked) {
    for (const name of FIELDS) if (asked.has(name)) this.field[name].value = asked.get(name);
    this.field.lines.checked = asked.get("iso") === "1";
    this.root.open = this.on;
    if (this.on) this.explorer.columns.offer(FEATURE, this.#address); // the menus are filled afterwards
  }

  get on() {
    return this.field.lut.value !== "";
  }

  /** The conditions as the API takes them; null without. */
  get conditions() {
    return this.on ? Object.fromEntries(FIELDS.filter((name) => this.field[name].value !== "").map((name) => [name, this.field[name].value])) : null;
  }

  /** Parameters for the address. */
  get state() {
    const values = Object.fromEntries(FIELDS.map((name) => [name, (this.on && this.field[name].value) || null]));
    return { ...values, iso: this.on && this.field.lines.checked ? "1" : null };
  }

  async #changed() {
    if (this.on) this.#offer();
    else this.explorer.columns.withdraw(FEATURE);
    const done = this.explorer.conditionsChanged();
    if (!this.explorer.columns.names.includes(FEATURE)) this.#eachMenu((select) => select.querySelector(`option[value="${FEATURE}"]`)?.remove());
    await done;
  }

  #eachMenu(change) {
    for (const menu of ["x", "y", "colour"]) change(this.explorer.controls[menu]);
  }

  get #address() {
    return `${this.url}/emodulus.bin?${new URLSearchParams(this.conditions)}`;
  }

  #offer() {
    this.explorer.columns.offer(FEATURE, this.#address);
    this.#eachMenu((select) => {
      if (![...select.options].some((one) => one.value === FEATURE)) select.append(new Option(this.title, FEATURE));
    });
  }

  /** Ask what holds for these axes: the conditions in words, and the lines. */
  async ask() {
    const turn = (this.turn = (this.turn ?? 0) + 1);
    this.lines = [];
    if (!this.on) {
      this.note.textContent = "";
      return;
    }
    const { x, y } = this.explorer.controls;
    const answer = await fetch(`${this.url}/elasticity.json?${new URLSearchParams({ ...this.conditions, x: x.value, y: y.value })}`, { headers: { Accept: "application/json" } });
    const found = await answer.json().catch(() => ({}));
    if (turn !== this.turn) return;
    if (!answer.ok || found.reason) {
      this.note.textContent = found.reason ?? found.error ?? this.words.failed;
      return;
    }
    this.lines = this.field.lines.checked ? found.lines : [];
    const { medium, temperature, source, viscosity, model } = found.conditions;
    const parts = [medium, temperature === null ? "" : `${significant(temperature, 4)} °C (${this.words.sources[source]})`, `${significant(viscosity, 4)} mPa s`, model];
    this.note.textContent = `${parts.filter(Boolean).join(", ")}. ${this.words.pixels}${this.field.lines.checked && !found.lines.length ? ` ${this.words.axes}` : ""}`;
  }

  /** Draw the lines with their modulus at the right end. */
  draw(context, scatter) {
    const { left, top, width, height } = scatter.plot;
    context.strokeStyle = scatter.theme.ink.css;
    context.fillStyle = scatter.theme.ink.css;
    context.lineWidth = 1.2;
    context.setLineDash([6, 3]);
    context.font = "11px sans-serif";
    context.textAlign = "right";
    for (const { emodulus, points } of this.lines) {
      context.beginPath();
      let end = null;
      for (const [x, y] of points) {
        const [px, py] = [scatter.scaleX.position(x), scatter.scaleY.position(y)];
        context.lineTo(left + px * width, top + (1 - py) * height);
        if (px > 0 && px < 1 && py > 0.02 && py < 0.98) end = [left + px * width, top + (1 - py) * height];
      }
      context.stroke();
      if (end) context.fillText(significant(emodulus, 3), end[0] - 2, end[1] - 3);
    }
    context.setLineDash([]);
  }
}
