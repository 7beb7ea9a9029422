// The events of one measurement that the overlay shows: of a gate or all, from the columns that the explorer reads, too.

import { Columns } from "../explorer/columns.js";
import { BINS, grid, randomOrder } from "../explorer/density.js";
import { Gates } from "../explorer/gates.js";
import { placed } from "./plot.js";

/** One measurement with its columns. */
export class Series {
  constructor(file, columns) {
    this.file = file;
    this.columns = columns;
  }

  /** Open the columns of a measurement. Throws Error where there are none. */
  static async open(file) {
    const columns = await Columns.open(`${file.url}/columns.bin`);
    if (file.modulus) columns.offer("emodulus", file.modulus);
    return new Series(file, columns);
  }

  has(name) {
    return this.columns.names.includes(name);
  }

  /**
   * The rows of the gate called `gate` ("" for all) with both values; `most` of them, drawn at random, are the sample of points.
   * null where the file lacks a feature.
   */
  async select(x, y, gates, gate, most) {
    const column = (name) => (this.has(name) ? this.columns.get(name).catch(() => null) : Promise.resolve(null)); // a modulus may not apply
    const [xs, ys] = await Promise.all([column(x), column(y)]);
    if (!xs || !ys) return null;
    const known = new Gates(() => {});
    known.list = gates;
    const inside = gate ? await known.inside(gate, column) : null;
    if (gate && !inside) return null;
    const rows = [];
    for (let i = 0; i < xs.length; i++) if ((!inside || inside[i]) && Number.isFinite(xs[i]) && Number.isFinite(ys[i])) rows.push(i);
    const some = { x: Float32Array.from(rows, (row) => xs[row]), y: Float32Array.from(rows, (row) => ys[row]) };
    const sample = randomOrder(rows.length).slice(0, most);
    return { ...some, sample, number: this.file.number, name: this.file.name, events: this.columns.events, rows: this.columns.rows };
  }
}

/** The middle of the cell where the events of a series are densest: [x, y]; null without visible ones. */
export function densest(series, scaleX, scaleY) {
  const { px, py } = placed(series, scaleX, scaleY);
  const smooth = grid(px, py);
  let best = 0;
  for (let i = 1; i < smooth.length; i++) if (smooth[i] > smooth[best]) best = i;
  return smooth[best] > 0 ? [scaleX.value(((best % BINS) + 0.5) / BINS), scaleY.value((Math.floor(best / BINS) + 0.5) / BINS)] : null;
}
