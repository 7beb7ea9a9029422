// Named gates: what they hold, which of the shown events are in them, undo and redo, and their text in a link.

/** Colours that stand out from both themes and from the colours of the points. */
const COLOURS = ["#e0681b", "#1b7fd0", "#b04bbf", "#d9463c", "#0f9aa8", "#8a6d00", "#7a6ff0", "#2a8f4a", "#d0508f", "#6b6b6b"];
const ELLIPSE_CORNERS = 128;
const MOST_STEPS = 100;

/** The gates of the page, in the form that the server takes. `changed` is called after each change. */
export class Gates {
  constructor(changed) {
    this.changed = changed;
    this.list = [];
    this.active = "";
    this.past = [];
    this.future = [];
  }

  get(name) {
    return this.list.find((gate) => gate.name === name);
  }

  /** Do something to the list that can be undone. `change` gets a copy and returns the new list; `active` is what is selected then. */
  change(change, active = this.active) {
    this.past.push({ list: this.list, active: this.active });
    this.past.splice(0, this.past.length - MOST_STEPS);
    this.future = [];
    this.#take({ list: change(structuredClone(this.list)), active });
  }

  /** Add a gate with these conditions, and select it. */
  add(conditions, { name = "Gate", combine = "and" } = {}) {
    let number = this.list.length + 1;
    const numbered = () => (name.includes("{n}") ? name.replace("{n}", number) : number > this.list.length + 1 || this.get(name) ? `${name} ${number}` : name);
    while (this.get(numbered())) number++;
    const used = new Set(this.list.map((gate) => gate.colour));
    const colour = COLOURS.find((one) => !used.has(one)) ?? COLOURS[this.list.length % COLOURS.length];
    const gate = { name: numbered().slice(0, 60), combine, colour, conditions };
    this.change((list) => [...list, gate], gate.name);
    return gate;
  }

  /** Give a gate another name, also where others refer to it. Returns whether the name is free and not empty. */
  rename(old, name) {
    const wanted = name.trim().slice(0, 60);
    if (wanted === old) return true;
    if (!wanted || this.get(wanted)) return false;
    this.change((list) => {
      for (const gate of list) {
        if (gate.name === old) gate.name = wanted;
        for (const one of gate.conditions) if (one.gate === old) one.gate = wanted;
      }
      return list;
    }, this.active === old ? wanted : this.active);
    return true;
  }

  /** The gates that refer to this one. */
  users(name) {
    return this.list.filter((gate) => gate.conditions.some((one) => one.gate === name));
  }

  remove(name) {
    this.change((list) => list.filter((gate) => gate.name !== name), this.active === name ? "" : this.active);
  }

  select(name) {
    this.#take({ list: this.list, active: name });
  }

  undo() {
    this.#step(this.past, this.future);
  }

  redo() {
    this.#step(this.future, this.past);
  }

  #step(from, to) {
    const state = from.pop();
    if (!state) return;
    to.push({ list: this.list, active: this.active });
    this.#take(state);
  }

  #take({ list, active }) {
    this.list = list;
    this.active = list.some((gate) => gate.name === active) ? active : "";
    this.changed();
  }

  /** The gates as text for a link; "" for none. */
  get text() {
    if (this.list.length === 0) return "";
    const bytes = new TextEncoder().encode(JSON.stringify(this.list));
    return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join("")).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
  }

  /** Take over the gates of a link, without a step to undo. Text that holds none is ignored. */
  read(text, active) {
    try {
      const bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (character) => character.charCodeAt(0));
      const list = JSON.parse(new TextDecoder().decode(bytes));
      if (Array.isArray(list) && list.every(isGate)) this.#take({ list, active: active ?? "" });
    } catch {
      // a damaged link shows no gates
    }
  }

  /**
   * Which rows are in a gate: a byte for each; null when the file lacks a feature that it needs.
   * @param {(name: string) => Promise<Float32Array|null>} column
   * @param {Map<string, Uint8Array|null>} known what was found already: each gate is looked at once, however many refer to it
   */
  async inside(name, column, known = new Map()) {
    if (known.has(name)) return known.get(name);
    known.set(name, null); // for a gate that refers to itself
    const gate = this.get(name);
    if (!gate) return null;
    let found = null;
    for (const one of gate.conditions) {
      const part = one.gate ? await this.inside(one.gate, column, known) : await meets(one, column);
      if (!part) return null;
      const flip = one.inverted ? 1 : 0;
      if (!found) found = part.map((value) => value ^ flip);
      else if (gate.combine === "or") for (let i = 0; i < found.length; i++) found[i] |= part[i] ^ flip;
      else for (let i = 0; i < found.length; i++) found[i] &= part[i] ^ flip;
    }
    known.set(name, found);
    return found;
  }
}

/** Undo and redo by the keyboard, except where somebody types. */
export function undoKey(gates, event) {
  if (!(event.ctrlKey || event.metaKey) || event.target.matches("input[type=text], input:not([type]), input[type=number]")) return;
  const key = event.key.toLowerCase();
  if (key !== "z" && key !== "y") return;
  event.preventDefault();
  if (key === "y" || event.shiftKey) gates.redo();
  else gates.undo();
}

function isGate(one) {
  return typeof one?.name === "string" && Array.isArray(one.conditions) && one.conditions.every((condition) => condition && typeof condition === "object");
}

async function meets(one, column) {
  if (one.feature) {
    const values = await column(one.feature);
    return values && inRange(values, one.min ?? null, one.max ?? null);
  }
  const [x, y] = await Promise.all([column(one.x), column(one.y)]);
  return x && y && inPolygon(x, y, corners(one));
}

/** Bounds belong to the range. The columns have single precision, so the bounds are compared with it too. */
function inRange(values, min, max) {
  const low = min === null ? -Infinity : Math.fround(min);
  const high = max === null ? Infinity : Math.fround(max);
  const found = new Uint8Array(values.length);
  for (let i = 0; i < found.length; i++) found[i] = values[i] >= low && values[i] <= high ? 1 : 0;
  return found;
}

/** The corners of a polygon, or of the one that an ellipse stands for. */
export function corners(one) {
  if (one.points) return one.points;
  const [cx, cy] = one.centre;
  const [[ux, uy], [vx, vy]] = one.axes;
  return Array.from({ length: ELLIPSE_CORNERS }, (_, place) => {
    const angle = (2 * Math.PI * place) / ELLIPSE_CORNERS;
    return [cx + Math.cos(angle) * ux + Math.sin(angle) * vx, cy + Math.cos(angle) * uy + Math.sin(angle) * vy];
  });
}

function inPolygon(xs, ys, points) {
  const [left, right] = range(points.map((point) => point[0]));
  const [bottom, top] = range(points.map((point) => point[1]));
  const found = new Uint8Array(xs.length);
  for (let k = 0; k < found.length; k++) {
    const x = xs[k];
    const y = ys[k];
    if (!(x >= left && x <= right && y >= bottom && y <= top)) continue;
    let inside = 0;
    for (let i = 0, j = points.length - 1; i < points.length; j = i++) {
      const [xi, yi] = points[i];
      const [xj, yj] = points[j];
      if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside ^= 1;
    }
    found[k] = inside;
  }
  return found;
}

function range(values) {
  return [Math.min(...values), Math.max(...values)];
}
