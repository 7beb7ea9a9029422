// The list of gates beside the plot: choose, name, colour, invert, combine, delete, undo; saved sets; polygon files.

import { toast } from "../app.js";
import { ask } from "./api.js";
import { save } from "./report.js";
import { significant, whole } from "./scale.js";

/** Fills [data-gates]. `titleOf` gives a feature's label; `chosen` is called when another gate is selected. */
export class GatePanel {
  constructor(root, gates, data, { titleOf, names }) {
    this.root = root;
    this.gates = gates;
    this.data = data;
    this.words = data.words.gates;
    this.titleOf = titleOf;
    this.counts = {};
    const at = (name) => root.querySelector(`[data-gate-${name}]`);
    this.at = at;
    at("undo").addEventListener("click", () => gates.undo());
    at("redo").addEventListener("click", () => gates.redo());
    at("poly").addEventListener("click", () => this.#poly());
    at("combine").addEventListener("submit", (event) => this.#combine(event));
    at("range").addEventListener("submit", (event) => this.#range(event));
    for (const select of [at("feature")]) for (const name of names) select.append(new Option(titleOf(name), name));
    if (at("saved")) this.#wireSaved();
  }

  /** Show the gates as they are now. */
  show() {
    const { gates } = this;
    this.at("undo").disabled = gates.past.length === 0;
    this.at("redo").disabled = gates.future.length === 0;
    this.at("none").hidden = gates.list.length > 0;
    this.at("more").hidden = gates.list.length === 0;
    this.at("poly").disabled = !gates.active;
    const focus = document.activeElement?.closest?.("[data-gate-row]") ? { row: document.activeElement.closest("[data-gate-row]").dataset.gateRow, what: document.activeElement.dataset.gate } : null;
    this.at("list").replaceChildren(...(gates.list.length ? [this.#row(null), ...gates.list.map((gate) => this.#row(gate))] : []));
    if (focus) this.at("list").querySelector(`[data-gate-row="${CSS.escape(focus.row)}"] [data-gate="${focus.what}"]`)?.focus();
    for (const key of ["first", "second", "within"]) {
      const select = this.at(key);
      const kept = select.value;
      select.replaceChildren(...(key === "within" ? [new Option(this.words.everything, "")] : []), ...gates.list.map((gate) => new Option(gate.name, gate.name)));
      if (gates.get(kept)) select.value = kept;
    }
    if (this.at("first").value === this.at("second").value) {
      const other = gates.list.find((gate) => gate.name !== this.at("first").value);
      if (other) this.at("second").value = other.name;
    }
    this.showCounts();
  }

  /** The server's numbers for the gates, by name ("" for all events). */
  showCounts(found = this.counts) {
    this.counts = found;
    for (const row of this.at("list").children) {
      const numbers = found[row.dataset.gateRow];
      const cell = row.querySelector("[data-gate=count]");
      if (!numbers) cell.textContent = "…";
      else if (numbers.events === null) cell.textContent = this.words.missing;
      else cell.textContent = `${whole(numbers.events)} (${significant(100 * (numbers.share ?? 0), 3)} %)${numbers.rate === null ? "" : ` · ${significant(numbers.rate, 3)}/s`}`;
    }
  }

  #row(gate) {
    const row = this.at("template").content.firstElementChild.cloneNode(true);
    const part = (name) => row.querySelector(`[data-gate=${name}]`);
    const name = gate?.name ?? "";
    row.dataset.gateRow = name;
    part("choose").checked = this.gates.active === name;
    part("choose").setAttribute("aria-label", this.words.choose.replace("{name}", name || this.words.everything));
    part("choose").addEventListener("change", () => this.gates.select(name));
    if (!gate) {
      for (const key of ["colour", "name", "invert", "delete"]) part(key).remove();
      part("all").hidden = false;
      return row;
    }
    for (const key of ["colour", "name", "invert", "delete"]) {
      const label = this.words[key].replace("{name}", name);
      part(key).setAttribute("aria-label", label);
      part(key).title = label;
    }
    part("colour").value = gate.colour ?? "#888888";
    part("colour").addEventListener("change", (event) => this.#edit(name, (one) => (one.colour = event.target.value)));
    part("name").value = name;
    part("name").addEventListener("change", (event) => {
      if (!this.gates.rename(name, event.target.value)) {
        toast(this.words.taken);
        event.target.value = name;
      }
    });
    part("invert").setAttribute("aria-pressed", String(isInverted(gate)));
    part("invert").addEventListener("click", () => this.#invert(name));
    part("delete").addEventListener("click", () => {
      const users = this.gates.users(name);
      if (users.length) toast(this.words.used.replace("{name}", users[0].name));
      else this.gates.remove(name);
    });
    part("what").textContent = this.#described(gate);
    return row;
  }

  #edit(name, change) {
    this.gates.change((list) => {
      change(list.find((gate) => gate.name === name));
      return list;
    });
  }

  /** Not (a and b) is (not a or not b), and the other way round. */
  #invert(name) {
    this.#edit(name, (gate) => {
      for (const one of gate.conditions) one.inverted = !one.inverted;
      if (gate.conditions.length > 1) gate.combine = gate.combine === "or" ? "and" : "or";
    });
  }

  #described(gate) {
    const parts = gate.conditions.map((one) => {
      const not = one.inverted ? `${this.words.not} ` : "";
      if (one.gate) return not + one.gate;
      if (one.feature) return `${not}${this.titleOf(one.feature)} ${[one.min, one.max].map((bound) => (bound === null || bound === undefined ? "…" : significant(bound, 4))).join(" – ")}`;
      return `${not}${one.points ? this.words.polygon : this.words.ellipse} ${this.titleOf(one.x)} × ${this.titleOf(one.y)}`;
    });
    return parts.join(` ${gate.combine === "or" ? this.words.or : this.words.and} `);
  }

  #combine(event) {
    event.preventDefault();
    const [first, second, how] = ["first", "second", "how"].map((key) => this.at(key).value);
    if (!first || !second || first === second) return toast(this.words.two);
    const conditions = [{ gate: first, inverted: false }, { gate: second, inverted: how === "without" }];
    const word = { and: this.words.and, or: this.words.or, without: `${this.words.and} ${this.words.not}` }[how];
    this.gates.add(conditions, { name: `${first} ${word} ${second}`, combine: how === "or" ? "or" : "and" });
  }

  #range(event) {
    event.preventDefault();
    const [min, max] = ["min", "max"].map((key) => this.at(key).value.trim().replace(",", ".")).map((text) => (text === "" ? null : Number(text)));
    const bad = (min === null && max === null) || Number.isNaN(min) || Number.isNaN(max) || (min !== null && max !== null && min > max);
    for (const key of ["min", "max"]) this.at(key).toggleAttribute("aria-invalid", bad);
    if (bad) return toast(this.words.bounds);
    this.add([{ feature: this.at("feature").value, min, max }]);
  }

  /** A new gate, inside of the one that new gates are part of. */
  add(conditions) {
    const within = this.at("within").value;
    return this.gates.add([...(within ? [{ gate: within, inverted: false }] : []), ...conditions], { name: this.words.fresh });
  }

  async #poly() {
    try {
      save(await ask("dcor_gate_file", { gates: this.gates.list, gate: this.gates.active }), "text/plain", `${this.data.name}_${this.gates.active.replace(/[^\p{L}\p{N}._-]+/gu, "_")}.poly`);
    } catch (error) {
      toast(error.message);
    }
  }

  // --- saved sets ---

  #wireSaved() {
    this.at("savedbox").addEventListener("toggle", (event) => event.target.open && this.#list());
    this.at("load").addEventListener("click", () => {
      const one = this.#chosen();
      if (!one) return;
      this.gates.change(() => structuredClone(one.gates), one.gates[0]?.name);
      this.at("setname").value = one.name;
    });
    this.at("forget").addEventListener("click", () => this.#tell(async () => {
      const one = this.#chosen();
      if (!one) return;
      await ask("dcor_gate_delete", { id: one.id });
      toast(this.words.forgotten);
    }));
    this.at("save").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#tell(async () => {
        await ask("dcor_gate_save", { id: this.data.dataset, name: this.at("setname").value, gates: this.gates.list, shared: this.at("shared")?.checked ?? false });
        toast(this.words.saved);
      });
    });
  }

  #chosen() {
    return this.sets?.find((one) => one.id === this.at("saved").value);
  }

  async #tell(work) {
    try {
      await work();
    } catch (error) {
      toast(error.message);
    }
    await this.#list();
  }

  async #list() {
    try {
      this.sets = await ask("dcor_gate_list", { id: this.data.dataset });
    } catch (error) {
      return toast(error.message);
    }
    const text = (one) => (one.own ? one.name + (one.shared ? ` (${this.words.sharedMark})` : "") : `${one.name} (${one.user})`);
    this.at("saved").replaceChildren(...this.sets.map((one) => new Option(text(one), one.id)));
    for (const key of ["load", "forget"]) this.at(key).disabled = this.sets.length === 0;
  }
}

function isInverted(gate) {
  return gate.conditions.every((one) => one.inverted);
}
