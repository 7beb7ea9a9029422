// The menus of features, by group and with units, and the limits of the axes as numbers.

import { Scale } from "./scale.js";

/** Fill a menu: one group after the other, in the order of `groups` ([{title, names}]); `label(name)` is an entry's text. */
export function fillMenu(select, names, groups, label) {
  const known = new Set(names);
  const left = new Set(names);
  for (const { title, names: members } of groups) {
    const here = members.filter((name) => known.has(name));
    if (here.length === 0) continue;
    const group = document.createElement("optgroup");
    group.label = title;
    for (const name of here) {
      group.append(new Option(label(name), name));
      left.delete(name);
    }
    select.append(group);
  }
  for (const name of left) select.append(new Option(label(name), name));
}

/** Four number fields that follow the view and set it. */
export class Limits {
  /** @param {HTMLElement} root with [data-limit=xmin …] @param {(x: Scale, y: Scale) => void} set @param {() => {x: Scale, y: Scale}} get */
  constructor(root, get, set) {
    this.get = get;
    this.fields = Object.fromEntries(["xmin", "xmax", "ymin", "ymax"].map((name) => [name, root.querySelector(`[data-limit="${name}"]`)]));
    for (const field of Object.values(this.fields)) {
      field.addEventListener("change", () => {
        const { x, y } = get();
        const scales = [this.#scale("x", x), this.#scale("y", y)];
        if (scales.every(Boolean)) set(...scales);
      });
    }
  }

  /** Show the limits of the present view, except in the field that somebody types into. */
  show() {
    const { x, y } = this.get();
    const values = { xmin: x.low, xmax: x.high, ymin: y.low, ymax: y.high };
    for (const [name, field] of Object.entries(this.fields)) {
      field.removeAttribute("aria-invalid");
      if (document.activeElement !== field) field.value = Number(values[name].toPrecision(4));
    }
  }

  /** The scale that the fields of an axis ask for; null, and the fields marked, where that is none. */
  #scale(axis, now) {
    const [low, high] = [this.fields[`${axis}min`], this.fields[`${axis}max`]];
    const [from, to] = [low.valueAsNumber, high.valueAsNumber];
    const sound = Number.isFinite(from) && Number.isFinite(to) && from < to && !(now.log && from <= 0);
    for (const field of [low, high]) {
      if (sound) field.removeAttribute("aria-invalid");
      else field.setAttribute("aria-invalid", "true");
    }
    return sound ? new Scale(from, to, now.log) : null;
  }
}
