// The gallery: pictures of the events of the selected gate, sampled or sorted, with outlines; arrow keys go through them.

import { toast } from "../app.js";
import { ask } from "./api.js";
import { significant, whole } from "./scale.js";

const PAGE = 48;

/** Fills [data-gallery]. `pick(event)` shows an event with its numbers. */
export class Gallery {
  constructor(root, gates, data, { titleOf, names, pick }) {
    this.root = root;
    this.gates = gates;
    this.data = data;
    this.words = data.words.gallery;
    this.titleOf = titleOf;
    this.pick = pick;
    this.seed = 0;
    this.at = (name) => root.querySelector(`[data-gallery-${name}]`);
    for (const name of names) this.at("sort").append(new Option(titleOf(name), name));
    for (const key of ["sort", "order", "outline"]) this.at(key).addEventListener("change", () => this.show());
    this.at("more").addEventListener("click", () => this.#fetch(this.shown));
    this.at("again").addEventListener("click", () => {
      this.seed += 1;
      this.show();
    });
    this.at("list").addEventListener("keydown", (event) => this.#key(event));
    root.addEventListener("toggle", () => root.open && this.show());
  }

  /** Another gate, or the same with other events. */
  changed() {
    if (this.root.open) this.show();
  }

  /** Show the first events. */
  async show() {
    this.shown = 0;
    const sorted = this.at("sort").value !== "";
    this.at("order").disabled = !sorted;
    this.at("again").hidden = sorted;
    await this.#fetch(0);
  }

  async #fetch(offset) {
    this.running?.abort();
    const running = (this.running = new AbortController());
    this.root.setAttribute("aria-busy", "true");
    try {
      const { active } = this.gates;
      const sort = this.at("sort").value;
      const found = await ask("dcor_gate_events", { id: this.data.id, gates: this.gates.list, gate: active, sort, descending: this.at("order").value === "down", count: PAGE, offset, seed: this.seed }, running.signal);
      const pictures = found.events.length ? await this.#pictures(found.events, running.signal) : [];
      if (running.signal.aborted) return;
      const items = await Promise.all(found.events.map((event, i) => this.#item(event, pictures[i], sort ? found.values[i] : null, sort)));
      if (running.signal.aborted) return;
      if (offset === 0) this.at("list").replaceChildren(...items);
      else this.at("list").append(...items);
      this.shown = offset + items.length;
      const first = this.at("list").querySelector("button");
      if (first && !this.at("list").querySelector("[tabindex='0']")) first.tabIndex = 0;
      this.at("count").textContent = this.words.count.replace("{shown}", whole(this.shown)).replace("{all}", whole(found.total)).replace("{gate}", active || this.data.words.gates.everything);
      this.at("more").hidden = this.shown >= found.total || items.length === 0;
    } catch (error) {
      if (error.name !== "AbortError") toast(error.message);
    } finally {
      if (this.running === running) this.root.removeAttribute("aria-busy");
    }
  }

  async #pictures(events, signal) {
    const answer = await fetch(`${this.data.url}/pictures.json?events=${events.join(",")}`, { signal, headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(this.data.words.noEvent);
    return (await answer.json()).pictures;
  }

  async #item(event, picture, value, sort) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "gallery-item";
    button.tabIndex = -1;
    button.dataset.event = event;
    const number = this.words.event.replace("{number}", whole(event + 1));
    const text = value === null || value === undefined ? number : `${number}: ${significant(value, 4)}`;
    button.setAttribute("aria-label", sort ? `${text}, ${this.titleOf(sort)}` : text);
    const label = document.createElement("span");
    label.textContent = text;
    label.setAttribute("aria-hidden", "true");
    button.append(await this.#drawn(picture), label);
    button.addEventListener("click", () => this.#choose(button));
    return button;
  }

  async #drawn(found) {
    const canvas = document.createElement("canvas");
    canvas.setAttribute("aria-hidden", "true");
    const text = found.image ?? found.mask;
    if (!text) return canvas;
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    const picture = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
    const zoom = 2;
    canvas.width = picture.width * zoom;
    canvas.height = picture.height * zoom;
    const context = canvas.getContext("2d");
    context.imageSmoothingEnabled = false;
    context.drawImage(picture, 0, 0, canvas.width, canvas.height);
    if (found.contour && this.at("outline").checked) {
      context.beginPath();
      for (const [x, y] of found.contour) context.lineTo((x + 0.5) * zoom, (y + 0.5) * zoom);
      context.closePath();
      context.strokeStyle = "#ff2d20";
      context.lineWidth = 1.5;
      context.stroke();
    }
    return canvas;
  }

  #choose(button) {
    for (const one of this.at("list").querySelectorAll("button")) {
      one.tabIndex = one === button ? 0 : -1;
      one.toggleAttribute("aria-current", one === button);
    }
    button.focus();
    this.pick(Number(button.dataset.event));
  }

  #key(event) {
    const buttons = [...this.at("list").querySelectorAll("button")];
    const place = buttons.indexOf(document.activeElement);
    if (place < 0) return;
    const { top } = buttons[0].getBoundingClientRect();
    const columns = Math.max(1, buttons.filter((one) => Math.abs(one.getBoundingClientRect().top - top) < 2).length);
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns, Home: -place, End: buttons.length - 1 - place }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const next = buttons[place + step];
    if (next) this.#choose(next);
  }
}
