// The explorer on a resource's page: wires the columns, the plot, the tools and the panels together.

import { toast } from "../app.js";
import { fillMenu, Limits } from "./axes.js";
import { Columns } from "./columns.js";
import { Elasticity } from "./elasticity.js";
import { EventPanel } from "./event.js";
import { contours, drawContours } from "./contours.js";
import { Course } from "./course.js";
import * as downloads from "./downloads.js";
import { Exports } from "./exports.js";
import { Gallery } from "./gallery.js";
import { GatePanel } from "./gate_panel.js";
import { GateNumbers } from "./gate_numbers.js";
import { Gates, undoKey } from "./gates.js";
import { drawHistogram } from "./histogram.js";
import { Labels } from "./labels.js";
import * as link from "./link.js";
import { drawColourBar, drawMarginals } from "./margins.js";
import { fillTable, share } from "./report.js";
import { coloursOf, extent, limits, Scale, whole } from "./scale.js";
import { Scatter } from "./scatter.js";
import { rowsOf, statistics } from "./selection.js";
import { drawOutlines, fromOldLink, outlines } from "./shapes.js";
import { Tools } from "./tools.js";

/** Room for the histograms along the axes and for the bar of colours [CSS pixels]. */
const MARGINAL = 46;
const BAR = 62;

const root = document.getElementById("explorer");
const data = JSON.parse(document.getElementById("explorer-data").textContent);
const words = data.words;
const labels = new Labels(data.labels);
const titleOf = (name) => labels.title(name);
const at = (name) => root.querySelector(`[data-${name}]`);

/** Everything that is shown; mirrored in the address, so that a link brings it back. */
class Explorer {
  constructor(columns) {
    this.columns = columns;
    this.scatter = new Scatter(at("plot"));
    this.panel = new EventPanel(at("event"), data, words);
    this.controls = { x: at("x"), y: at("y"), xlog: at("xlog"), ylog: at("ylog"), colour: at("colour"), contours: at("contours"), marginals: at("marginals") };
    this.rows = null;
    this.gates = new Gates(() => this.gatesChanged());
    this.gatePanel = new GatePanel(at("gates"), this.gates, data, { titleOf, names: columns.names });
    if (at("exports")) new Exports(at("exports"), this.gates, data);
    this.gallery = new Gallery(at("gallery"), this.gates, data, { titleOf, names: columns.names, pick: async (event) => this.pick(await this.columns.rowOf(event), event) });
    this.young = new Elasticity(at("young"), this, { url: data.url, words: words.young, title: titleOf("emodulus") });
    this.course = new Course(at("course"), this, { titleOf, words: words.course, names: columns.names });
    this.#decorate(this.scatter);
    this.gateNumbers = new GateNumbers(data.id, ({ gates }) => {
      this.gatePanel.showCounts(gates);
      this.#showExact();
    });
    this.tools = new Tools(this.scatter, {
      view: (x, y, done) => this.view(x, y, done),
      sketch: (sketch) => {
        this.scatter.sketch = sketch;
        this.draw();
      },
      gate: (conditions) => this.gatePanel.add(conditions),
      tooSmall: () => toast(words.gates.small),
      leave: () => this.gates.select(""),
      features: () => ({ x: this.controls.x.value, y: this.controls.y.value }),
      pick: (row) => this.pick(row),
      reset: () => this.reset(),
    });
  }

  /** What a plot shows beside points and axes: gates, contours, histograms along the axes, the bar of colours. */
  #decorate(scatter) {
    scatter.overlay = (context) => {
      if (this.lines) drawContours(context, scatter, this.lines);
      this.young.draw(context, scatter);
      drawOutlines(context, scatter, this.#outlines(), this.gates.active);
    };
    scatter.around = (context) => {
      if (this.controls.marginals.checked) drawMarginals(context, scatter, this.x, this.y, this.rows, MARGINAL);
      if (this.bar) drawColourBar(context, scatter, this.bar);
    };
  }

  #outlines() {
    return outlines(this.gates.list, this.controls.x.value, this.controls.y.value);
  }

  /** Room for what stands around the plot, and lines of equal density of what is visible. */
  #furnish() {
    const { marginals, contours: lines } = this.controls;
    this.scatter.above = marginals.checked ? MARGINAL : 0;
    this.scatter.right = (marginals.checked ? MARGINAL : 0) + (this.bar ? BAR : 0);
    this.scatter.resize();
    this.#lines(lines.checked);
  }

  #lines(wanted = this.controls.contours.checked) {
    if (!wanted) return (this.lines = null);
    const { px, py } = this.scatter.places();
    return (this.lines = contours(px, py));
  }

  /** Read the address, fill the controls, show the first plot. */
  async start() {
    const asked = link.asked();
    const names = this.columns.names;
    this.young.read(asked);
    const first = (wanted, fallback) => (names.includes(asked.get(wanted)) ? asked.get(wanted) : (fallback.find((name) => names.includes(name)) ?? names[0]));
    for (const key of ["x", "y", "colour"]) {
      fillMenu(this.controls[key], names, data.groups, titleOf);
    }
    this.controls.x.value = first("x", ["area_um", "area_cvx", "volume"]);
    this.controls.y.value = first("y", ["deform", "bright_avg", "aspect"]);
    if (asked.has("colour")) this.controls.colour.value = names.includes(asked.get("colour")) ? asked.get("colour") : "";
    this.controls.xlog.checked = asked.get("xs") === "log";
    this.controls.ylog.checked = asked.get("ys") === "log";
    const shown = (asked.get("show") ?? "").split(",");
    for (const key of ["contours", "marginals"]) this.controls[key].checked = shown.includes(key);
    this.limits = new Limits(
      root,
      () => ({ x: this.scatter.scaleX, y: this.scatter.scaleY }),
      (x, y) => this.view(x, y, true),
    );
    this.#listen();
    this.scatter.resize();
    await this.load(asked.get("view"));
    const old = fromOldLink(asked.get("sel"), this.controls.x.value, this.controls.y.value);
    if (old) this.gatePanel.add(old);
    this.gates.read(asked.get("gates") ?? "", asked.get("gate"));
    await this.selecting;
    this.gatePanel.show();
    const event = Number.parseInt(asked.get("event") ?? "", 10);
    if (Number.isInteger(event) && event >= 0 && event < this.columns.events) this.pick(await this.columns.rowOf(event));
    at("note").textContent = this.columns.subsampled ? words.subsampled.replace("{rows}", whole(this.columns.rows)).replace("{events}", whole(this.columns.events)) : "";
    root.dataset.ready = "yes";
  }

  #listen() {
    // other features or axes: the view belongs to the old ones; gates stay
    for (const key of ["x", "y", "xlog", "ylog"]) this.controls[key].addEventListener("change", () => this.load(null));
    const decorated = () => (this.#furnish(), this.draw(), this.remember());
    for (const key of ["contours", "marginals"]) this.controls[key].addEventListener("change", decorated);
    at("svg").addEventListener("click", () => downloads.saveSvg(this.scatter, this.#caption(), this.#outlines(), this.#figureName()));
    this.controls.colour.addEventListener("change", () => this.load(link.viewText(this.scatter, this.moved)));
    for (const button of root.querySelectorAll("[data-tool]")) {
      if (button === this.scatter.canvas) continue;
      button.addEventListener("click", () => this.choose(button.dataset.tool));
    }
    at("reset").addEventListener("click", () => this.reset());
    at("clear").addEventListener("click", () => this.gates.select(""));
    root.addEventListener("keydown", (event) => undoKey(this.gates, event));
    at("csv").addEventListener("click", () => downloads.saveCsv(data, labels, this.columns.names, this.gates, this.young.conditions));
    at("png").addEventListener("click", () => downloads.savePng(this.scatter, this.#caption(), (copy) => this.#decorate(copy), this.#figureName()));
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
      this.bar = null;
      if (cs) {
        const [low, high] = limits(cs, false);
        this.bar = { low, high, label: titleOf(colour.value) };
      }
      const named = link.viewNumbers(view);
      this.home = { x: new Scale(...limits(xs, xlog.checked), xlog.checked), y: new Scale(...limits(ys, ylog.checked), ylog.checked) };
      this.scatter.setScales(named ? new Scale(named[0], named[1], xlog.checked) : this.home.x, named ? new Scale(named[2], named[3], ylog.checked) : this.home.y);
      this.moved = named !== null;
      if (view === "all") this.#showAll();
      this.limits.show();
      this.#furnish();
      this.scatter.recolour();
      this.scatter.draw();
      this.gateNumbers.ask(this.#described(), this.gates.list, this.young.conditions);
      this.report();
      this.remember();
      this.young.ask().then(() => this.draw());
    } catch (error) {
      at("note").textContent = words.failed.replace("{reason}", error.message);
    } finally {
      root.removeAttribute("aria-busy");
    }
  }

  /** Young's modulus has other values, or is not computed any more: then no axis shows it. Gates over it select other events. */
  async conditionsChanged() {
    for (const key of ["x", "y", "colour"]) {
      const control = this.controls[key];
      if (control.value && !this.columns.names.includes(control.value)) control.value = key === "colour" ? "" : this.columns.names[0];
    }
    await this.load(link.viewText(this.scatter, this.moved));
    await (this.selecting = this.#mark());
  }

  view(x, y, done) {
    this.moved = true;
    this.scatter.setScales(x, y);
    this.lines = null; // they belong to the view before
    if (done) {
      this.scatter.recolour();
      this.#lines();
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

  /** Gates were drawn, edited or chosen: mark the selected one's events, and ask the server for the numbers of all. */
  gatesChanged() {
    this.gatePanel.show();
    this.draw();
    this.selecting = this.#mark();
    this.gallery.changed();
    this.gateNumbers.ask(this.#described(), this.gates.list, this.young.conditions);
  }

  async #mark() {
    const { active } = this.gates;
    const turn = (this.turn = (this.turn ?? 0) + 1);
    const column = (name) => (this.columns.names.includes(name) ? this.columns.get(name) : Promise.resolve(null));
    const inside = active ? await this.gates.inside(active, column).catch(() => null) : null;
    if (turn !== this.turn) return;
    this.scatter.selected = inside;
    this.rows = inside && rowsOf(inside);
    this.draw();
    await this.report();
    this.remember();
  }

  #showExact() {
    const { active } = this.gates;
    const exact = this.gateNumbers.found;
    const numbers = exact?.gates[active];
    if (!active || !numbers || numbers.events === null) return;
    at("selection").textContent = share(words, numbers.events, this.columns.events);
    this.numbers = exact.names.filter((name) => numbers.features[name]).map((name) => ({ name, label: labels.label(name), unit: labels.unit(name), numbers: numbers.features[name] }));
    fillTable(at("statistics"), this.numbers);
    root.dataset.exact = active;
  }

  /** Show the event of a row, or `exact`, whose point may be missing in the sample that is shown. */
  async pick(row, exact = null) {
    this.row = row;
    this.scatter.marked = row;
    this.draw();
    const event = exact ?? (await this.columns.eventOf(row));
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
    const { active } = this.gates;
    delete root.dataset.exact;
    const text = active && !this.rows ? words.gates.missing : this.rows ? share(words, this.rows.length, all) : words.all.replace("{count}", whole(all));
    at("selection").textContent = text;
    at("clear").hidden = !active;
    at("exact").href = link.exact(data.id, this.controls, this.gates.list, this.young.conditions);
    this.numbers = await this.#numbers(this.#described());
    fillTable(at("statistics"), this.numbers);
    this.#showExact();
    this.histogram();
    this.course.show();
  }

  async #numbers(names) {
    return Promise.all(
      names.map(async (name) => {
        return { name, label: labels.label(name), unit: labels.unit(name), numbers: statistics(await this.columns.get(name), this.rows) };
      }),
    );
  }

  histogram() {
    drawHistogram(at("histogram"), this.x, this.scatter.scaleX, titleOf(this.controls.x.value), this.rows);
  }

  resized() {
    if (!this.x) return;
    this.scatter.resize();
    this.scatter.draw();
    this.histogram();
    this.course.show();
    this.panel.redraw();
  }

  #caption() {
    return downloads.caption(data, this.gates.active, at("selection").textContent);
  }

  #figureName() {
    return `${data.name}_${this.controls.x.value}_${this.controls.y.value}`;
  }

  /** Write the state into the address. */
  remember() {
    at("toolong").hidden = this.gates.text.length <= link.LONGEST_GATES;
    link.write(this.controls, { gates: this.gates, view: link.viewText(this.scatter, this.moved), event: this.event ?? null, young: this.young.state });
  }
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
