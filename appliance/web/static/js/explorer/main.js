// The explorer on a resource's page: wires the columns, the plot, the tools and the panels together.

import { toast } from "../app.js";
import { fillMenu, Limits } from "./axes.js";
import { Columns } from "./columns.js";
import { EventPanel } from "./event.js";
import { drawHistogram } from "./histogram.js";
import { csv, fillTable, save, share } from "./report.js";
import { extent, limits, Scale, whole } from "./scale.js";
import { Scatter } from "./scatter.js";
import { parseShape, rowsInside, statistics } from "./selection.js";
import { Tools } from "./tools.js";

const root = document.getElementById("explorer");
const data = JSON.parse(document.getElementById("explorer-data").textContent);
const words = data.words;
const at = (name) => root.querySelector(`[data-${name}]`);

/** Everything that is shown; mirrored in the address, so that a link brings it back. */
class Explorer {
  constructor(columns) {
    this.columns = columns;
    this.scatter = new Scatter(at("plot"));
    this.panel = new EventPanel(at("event"), data, words);
    this.controls = { x: at("x"), y: at("y"), xlog: at("xlog"), ylog: at("ylog"), colour: at("colour") };
    this.rows = null;
    this.shape = null;
    this.tools = new Tools(this.scatter, {
      view: (x, y, done) => this.view(x, y, done),
      shape: (shape, done) => this.select(shape, done),
      pick: (row) => this.pick(row),
      reset: () => this.reset(),
    });
  }

  /** Read the address, fill the controls, show the first plot. */
  async start() {
    const asked = new URLSearchParams(location.search);
    const names = this.columns.names;
    const first = (wanted, fallback) => (names.includes(asked.get(wanted)) ? asked.get(wanted) : (fallback.find((name) => names.includes(name)) ?? names[0]));
    for (const key of ["x", "y", "colour"]) {
      fillMenu(this.controls[key], names, data.groups, titleOf);
    }
    this.controls.x.value = first("x", ["area_um", "area_cvx", "volume"]);
    this.controls.y.value = first("y", ["deform", "bright_avg", "aspect"]);
    if (asked.has("colour")) this.controls.colour.value = names.includes(asked.get("colour")) ? asked.get("colour") : "";
    this.controls.xlog.checked = asked.get("xs") === "log";
    this.controls.ylog.checked = asked.get("ys") === "log";
    this.limits = new Limits(
      root,
      () => ({ x: this.scatter.scaleX, y: this.scatter.scaleY }),
      (x, y) => this.view(x, y, true),
    );
    this.#listen();
    this.scatter.resize();
    await this.load(asked.get("view"));
    const shape = parseShape(asked.get("sel"), { x: this.scatter.scaleX, y: this.scatter.scaleY });
    if (shape) this.select(shape, true);
    const event = Number.parseInt(asked.get("event") ?? "", 10);
    if (Number.isInteger(event) && event >= 0 && event < this.columns.events) this.pick(await this.columns.rowOf(event));
    at("note").textContent = this.columns.subsampled ? words.subsampled.replace("{rows}", whole(this.columns.rows)).replace("{events}", whole(this.columns.events)) : "";
    root.dataset.ready = "yes";
  }

  #listen() {
    for (const key of ["x", "y"]) this.controls[key].addEventListener("change", () => this.#features());
    for (const key of ["xlog", "ylog"]) this.controls[key].addEventListener("change", () => this.#features());
    this.controls.colour.addEventListener("change", () => this.load(this.#viewText()));
    for (const button of root.querySelectorAll("[data-tool]")) {
      if (button === this.scatter.canvas) continue;
      button.addEventListener("click", () => this.choose(button.dataset.tool));
    }
    at("reset").addEventListener("click", () => this.reset());
    at("clear").addEventListener("click", () => this.select(null, true));
    at("csv").addEventListener("click", () => this.saveCsv());
    at("png").addEventListener("click", () => this.savePng());
    at("link").addEventListener("click", async () => {
      await navigator.clipboard?.writeText(location.href);
      toast(words.linkCopied);
    });
    at("wide").addEventListener("click", (event) => {
      const wide = root.classList.toggle("explorer-wide");
      event.currentTarget.setAttribute("aria-pressed", String(wide));
      this.resized();
    });
    at("number").addEventListener("change", async (event) => {
      const wanted = Math.max(1, Math.min(this.columns.events, Number.parseInt(event.target.value, 10) || 1));
      this.pick(await this.columns.rowOf(wanted - 1));
    });
    at("previous").addEventListener("click", () => this.step(-1));
    at("next").addEventListener("click", () => this.step(1));
    new ResizeObserver(() => this.resized()).observe(this.scatter.canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      this.scatter.readTheme();
      this.resized();
    });
  }

  /** Other features or axes: the view and the selection belong to the old ones. */
  #features() {
    this.select(null, false);
    this.load(null);
  }

  choose(tool) {
    this.tools.choose(tool);
    for (const button of root.querySelectorAll("button[data-tool]")) button.setAttribute("aria-pressed", String(button.dataset.tool === tool));
    at("hint").textContent = words.hints[tool];
  }

  /** Fetch the chosen columns and show them, all or the part that `view` (text of a link) names. */
  async load(view) {
    const { x, y, xlog, ylog, colour } = this.controls;
    root.setAttribute("aria-busy", "true");
    try {
      const [xs, ys, cs] = await Promise.all([this.columns.get(x.value), this.columns.get(y.value), colour.value ? this.columns.get(colour.value) : null]);
      this.x = xs;
      this.y = ys;
      this.scatter.labels = { x: titleOf(x.value), y: titleOf(y.value) };
      this.scatter.setData(xs, ys, cs ? coloursOf(cs) : null);
      const numbers = (view ?? "").split(",").map(Number);
      const named = numbers.length === 4 && numbers.every(Number.isFinite);
      this.home = { x: new Scale(...limits(xs, xlog.checked), xlog.checked), y: new Scale(...limits(ys, ylog.checked), ylog.checked) };
      this.scatter.setScales(named ? new Scale(numbers[0], numbers[1], xlog.checked) : this.home.x, named ? new Scale(numbers[2], numbers[3], ylog.checked) : this.home.y);
      this.moved = named;
      if (view === "all") this.#showAll();
      this.limits.show();
      this.scatter.recolour();
      this.scatter.draw();
      this.report();
      this.remember();
    } catch (error) {
      at("note").textContent = words.failed.replace("{reason}", error.message);
    } finally {
      root.removeAttribute("aria-busy");
    }
  }

  view(x, y, done) {
    this.moved = true;
    this.scatter.setScales(x, y);
    if (done) {
      this.scatter.recolour();
      this.remember();
      this.histogram();
      this.limits.show();
    }
    this.draw();
  }

  /** Draw with the next frame, once. */
  draw() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.scatter.draw();
    });
  }

  /** Every event, also the far outliers that the first view leaves out. */
  reset() {
    this.#showAll();
    this.view(this.scatter.scaleX, this.scatter.scaleY, true);
    this.moved = "all";
    this.remember();
  }

  #showAll() {
    const { xlog, ylog } = this.controls;
    this.scatter.setScales(new Scale(...extent(this.x, xlog.checked), xlog.checked), new Scale(...extent(this.y, ylog.checked), ylog.checked));
    this.moved = "all";
  }

  select(shape, done) {
    this.scatter.shape = shape;
    if (shape && (shape.open || !done)) {
      this.draw();
      return;
    }
    this.shape = shape;
    this.rows = shape ? rowsInside(shape, this.x, this.y) : null;
    this.scatter.selected = null;
    if (this.rows) {
      this.scatter.selected = new Uint8Array(this.x.length);
      for (const row of this.rows) this.scatter.selected[row] = 1;
    }
    this.draw();
    if (done) {
      this.report();
      this.remember();
    }
  }

  async pick(row) {
    this.row = row;
    this.scatter.marked = row;
    this.draw();
    const event = await this.columns.eventOf(row);
    at("number").value = event + 1;
    at("event").classList.add("has-event");
    this.event = event;
    this.remember();
    await this.panel.show(event);
  }

  /** The next event of the selection (or of all). */
  step(by) {
    const rows = this.rows?.length ? this.rows : null;
    if (!rows) return this.pick(Math.max(0, Math.min(this.columns.rows - 1, (this.row ?? -by) + by)));
    const place = rows.indexOf(this.row);
    return this.pick(rows[Math.max(0, Math.min(rows.length - 1, place < 0 ? 0 : place + by))]);
  }

  #described() {
    const chosen = [this.controls.x.value, this.controls.y.value];
    if (this.controls.colour.value && !chosen.includes(this.controls.colour.value)) chosen.push(this.controls.colour.value);
    return chosen;
  }

  async report() {
    const all = this.columns.rows;
    const count = this.rows ? this.rows.length : all;
    at("selection").textContent = this.rows ? share(words, count, all) : words.all.replace("{count}", whole(all));
    at("clear").hidden = !this.rows;
    this.#linkExact();
    this.numbers = await this.#numbers(this.#described());
    fillTable(at("statistics"), this.numbers);
    this.histogram();
  }

  /** A link to the statistics that the server makes of all events: those selected, if a gate can say which. */
  #linkExact() {
    const { x, y } = this.controls;
    const conditions = this.shape?.conditions?.(x.value, y.value);
    const query = new URLSearchParams([["r", data.id], ["f", x.value], ["f", y.value]]);
    if (conditions) query.set("g", JSON.stringify([{ name: words.selection, conditions }]));
    at("exact").href = `/compare?${query}`;
    at("exact").hidden = Boolean(this.shape) && !conditions;
  }

  async #numbers(names) {
    return Promise.all(
      names.map(async (name) => {
        const [label, unit] = data.labels[name] ?? [name, ""];
        return { name, label, unit, numbers: statistics(await this.columns.get(name), this.rows) };
      }),
    );
  }

  histogram() {
    drawHistogram(at("histogram"), this.x, this.scatter.scaleX, titleOf(this.controls.x.value), this.rows);
  }

  async saveCsv() {
    const rows = await this.#numbers(this.columns.names);
    save(csv(rows, `${data.name}: ${at("selection").textContent} ${location.href}`), "text/csv", `${data.name}_statistics.csv`);
  }

  savePng() {
    this.scatter.canvas.toBlob((blob) => save(blob, "image/png", `${data.name}_${this.controls.x.value}_${this.controls.y.value}.png`));
  }

  resized() {
    if (!this.x) return;
    this.scatter.resize();
    this.scatter.draw();
    this.histogram();
    this.panel.redraw();
  }

  #viewText() {
    const { scaleX, scaleY } = this.scatter;
    if (this.moved === "all") return "all";
    return this.moved ? [scaleX.low, scaleX.high, scaleY.low, scaleY.high].map((value) => Number(value.toPrecision(6))).join(",") : null;
  }

  /** Write the state into the address. */
  remember() {
    const url = new URL(location);
    const { x, y, xlog, ylog, colour } = this.controls;
    const state = {
      x: x.value,
      y: y.value,
      xs: xlog.checked ? "log" : null,
      ys: ylog.checked ? "log" : null,
      colour: colour.value || null,
      view: this.#viewText(),
      sel: this.shape?.text ?? null,
      event: this.event ?? null,
    };
    for (const [key, value] of Object.entries(state)) {
      if (value === null) url.searchParams.delete(key);
      else url.searchParams.set(key, value);
    }
    url.hash = "explorer";
    history.replaceState(history.state, "", url);
  }
}

function labelOf(name) {
  return data.labels[name]?.[0] ?? name;
}

function titleOf(name) {
  const unit = data.labels[name]?.[1];
  return unit ? `${labelOf(name)} [${unit}]` : labelOf(name);
}

/** Colour index of each point by a feature's value, between its 2 % and 98 % quantiles. */
function coloursOf(values) {
  const [low, high] = limits(values, false);
  const found = new Uint8Array(values.length);
  const factor = 255 / (high - low || 1);
  for (let i = 0; i < values.length; i++) found[i] = Math.max(0, Math.min(255, (values[i] - low) * factor));
  return found;
}

async function begin() {
  try {
    const explorer = new Explorer(await Columns.open(`${data.url}/columns.bin`));
    window.dcorExplorer = explorer; // for measurements and for the curious
    explorer.choose("pan");
    await explorer.start();
  } catch (error) {
    at("note").textContent = words.failed.replace("{reason}", error.message);
  }
}

// Nothing is fetched for a reader who only looks at the metadata.
const wanted = new IntersectionObserver(
  (entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    wanted.disconnect();
    begin();
  },
  { rootMargin: "400px" },
);
wanted.observe(root);
