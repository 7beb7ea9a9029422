// The picked event: its image with contour, its fluorescence traces, all its numbers.

import { token } from "./palette.js";
import { significant, tickLabel, Scale } from "./scale.js";

const TRACES = { fl1: "#15a000", fl2: "#bf8a00", fl3: "#bf0c00" };

/** Fills the event panel. `data` is what the page knows of the file; `words` its texts. */
export class EventPanel {
  constructor(root, data, words) {
    this.root = root;
    this.data = data;
    this.words = words;
    this.picture = root.querySelector("[data-event-image]");
    this.traces = root.querySelector("[data-event-traces]");
    this.numbers = root.querySelector("[data-event-numbers]");
    this.status = root.querySelector("[data-event-status]");
    this.kind = root.querySelector("[data-event-show]");
    this.outline = root.querySelector("[data-event-outline]");
    for (const control of [this.kind, this.outline]) control.addEventListener("change", () => this.#drawImage());
  }

  /** Show event number `event` (from 0). A newer call overtakes an older one. */
  async show(event) {
    this.event = event;
    this.running?.abort();
    const running = new AbortController();
    this.running = running;
    this.root.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(`${this.data.url}/event/${event}.json`, { signal: running.signal, headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(String(answer.status));
      const found = await answer.json();
      const [image, mask, background] = await Promise.all([found.image, found.mask, found.image_bg].map(picture));
      if (running.signal.aborted) return;
      Object.assign(this, { found, image: image ?? mask, mask, background });
      this.status.textContent = "";
      this.redraw();
      this.#list();
    } catch (error) {
      if (error.name === "AbortError") return;
      this.status.textContent = this.words.noEvent;
      this.picture.hidden = this.traces.hidden = true;
    } finally {
      if (this.running === running) this.root.removeAttribute("aria-busy");
    }
  }

  /** Draw again, after a change of size or colours. */
  redraw() {
    if (!this.found) return;
    this.#drawImage();
    this.#drawTraces();
  }

  #drawImage() {
    const kinds = { image: this.image, background: this.background, mask: this.mask };
    this.picture.hidden = !this.image;
    this.picture.nextElementSibling.hidden = !this.image;
    if (!this.image) return;
    for (const option of this.kind.options) option.hidden = option.disabled = !kinds[option.value];
    if (!kinds[this.kind.value]) this.kind.value = "image";
    this.outline.closest("label").hidden = !this.found.contour;
    const shown = kinds[this.kind.value];
    const zoom = Math.max(1, Math.min(4, Math.floor(760 / shown.width)));
    this.picture.width = shown.width * zoom;
    this.picture.height = shown.height * zoom;
    const context = this.picture.getContext("2d");
    context.imageSmoothingEnabled = false;
    context.drawImage(shown, 0, 0, this.picture.width, this.picture.height);
    if (!this.found.contour || !this.outline.checked) return;
    context.beginPath();
    for (const [x, y] of this.found.contour) context.lineTo((x + 0.5) * zoom, (y + 0.5) * zoom);
    context.closePath();
    context.strokeStyle = "#ff2d20";
    context.lineWidth = Math.max(1, zoom / 2);
    context.stroke();
  }

  #drawTraces() {
    const traces = Object.entries(this.found.traces ?? {}).filter(([name]) => name.endsWith("_raw"));
    this.traces.hidden = traces.length === 0;
    if (traces.length === 0) return;
    const box = this.traces.getBoundingClientRect();
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    this.traces.width = Math.round(box.width * ratio);
    this.traces.height = Math.round(box.height * ratio);
    const context = this.traces.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const plot = { left: 46, top: 20, width: box.width - 54, height: box.height - 58 };
    const samples = Math.max(...traces.map(([, values]) => values.length));
    const step = this.data.traceStep || 1;
    let low = Infinity;
    let high = -Infinity;
    for (const [, values] of traces) {
      for (const value of values) {
        if (value < low) low = value;
        if (value > high) high = value;
      }
    }
    const x = new Scale(0, Math.max(1, samples - 1) * step);
    const y = new Scale(low - (high - low) * 0.05, high + (high - low) * 0.05);
    context.strokeStyle = context.fillStyle = token("ink-2").css;
    context.strokeRect(plot.left + 0.5, plot.top + 0.5, plot.width, plot.height);
    const family = getComputedStyle(document.body).fontFamily;
    context.font = `11px ${family}`;
    context.textAlign = "center";
    context.textBaseline = "top";
    for (const tick of x.ticks(plot.width / 70, tickLabel)) context.fillText(tick.label, plot.left + x.position(tick.value) * plot.width, plot.top + plot.height + 5);
    context.fillText(this.data.traceStep ? this.words.traceTime : this.words.traceSamples, plot.left + plot.width / 2, plot.top + plot.height + 21);
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (const tick of y.ticks(4, tickLabel)) context.fillText(tick.label, plot.left - 5, plot.top + (1 - y.position(tick.value)) * plot.height);
    let legend = plot.left;
    context.lineWidth = 1.6;
    for (const [name, values] of traces) {
      const colour = TRACES[name.slice(0, 3)] ?? token("accent").css;
      context.strokeStyle = context.fillStyle = colour;
      context.beginPath();
      values.forEach((value, i) => context.lineTo(plot.left + x.position(i * step) * plot.width, plot.top + (1 - y.position(value)) * plot.height));
      context.stroke();
      context.fillRect(legend, 8, 12, 3);
      context.fillStyle = token("ink").css;
      context.textAlign = "left";
      context.fillText(name.slice(0, 3).toUpperCase(), legend + 16, 10);
      legend += 60;
    }
  }

  #list() {
    const rows = Object.entries(this.found.features ?? {}).map(([name, value]) => {
      const [label, unit] = this.data.labels[name] ?? [name, ""];
      return [label, `${value === null ? "–" : significant(value, 5)}${unit && value !== null ? ` ${unit}` : ""}`];
    });
    rows.sort((a, b) => a[0].localeCompare(b[0]));
    this.numbers.replaceChildren(
      ...rows.map(([label, text]) => {
        const row = document.createElement("tr");
        const head = document.createElement("th");
        head.scope = "row";
        head.textContent = label;
        const cell = document.createElement("td");
        cell.textContent = text;
        row.append(head, cell);
        return row;
      }),
    );
  }
}

/** A picture out of its base64 text, null where there is none. */
async function picture(text) {
  if (!text) return null;
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  return createImageBitmap(new Blob([bytes], { type: "image/png" }));
}
