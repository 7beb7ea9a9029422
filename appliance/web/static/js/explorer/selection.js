// Which events are selected, and what can be said about them.

/** A rectangle in values. */
export class Box {
  constructor(x0, x1, y0, y1) {
    [this.x0, this.x1] = x0 < x1 ? [x0, x1] : [x1, x0];
    [this.y0, this.y1] = y0 < y1 ? [y0, y1] : [y1, y0];
  }

  has(x, y) {
    return x >= this.x0 && x <= this.x1 && y >= this.y0 && y <= this.y1;
  }

  get points() {
    return [[this.x0, this.y0], [this.x1, this.y0], [this.x1, this.y1], [this.x0, this.y1]];
  }

  /** The same as conditions of a gate on the server. */
  conditions(x, y) {
    return [{ feature: x, min: this.x0, max: this.x1 }, { feature: y, min: this.y0, max: this.y1 }];
  }

  get text() {
    return `box:${[this.x0, this.x1, this.y0, this.y1].map(short).join(",")}`;
  }
}

/** A polygon in values. `scales` say along which axes its edges are straight (a log axis bends them otherwise). */
export class Polygon {
  constructor(points, scales) {
    this.points = points;
    this.scales = scales;
    this.placed = points.map(([x, y]) => [scales.x.position(x), scales.y.position(y)]);
  }

  has(x, y) {
    const px = this.scales.x.position(x);
    const py = this.scales.y.position(y);
    let inside = false;
    const corners = this.placed;
    for (let i = 0, j = corners.length - 1; i < corners.length; j = i++) {
      const [xi, yi] = corners[i];
      const [xj, yj] = corners[j];
      if (yi > py !== yj > py && px < ((xj - xi) * (py - yi)) / (yj - yi) + xi) inside = !inside;
    }
    return inside;
  }

  /** The same as conditions of a gate on the server; null where a log axis bends the edges, which no gate can say. */
  conditions(x, y) {
    return this.scales.x.log || this.scales.y.log ? null : [{ x, y, points: this.points }];
  }

  get text() {
    return `poly:${this.points.map(([x, y]) => `${short(x)},${short(y)}`).join(";")}`;
  }
}

/** A shape from the text in a link, or null. */
export function parseShape(text, scales) {
  const [kind, rest] = (text ?? "").split(":");
  if (!rest) return null;
  if (kind === "box") {
    const numbers = rest.split(",").map(Number);
    return numbers.length === 4 && numbers.every(Number.isFinite) ? new Box(...numbers) : null;
  }
  if (kind === "poly") {
    const points = rest.split(";").map((pair) => pair.split(",").map(Number));
    return points.length > 2 && points.length < 500 && points.every((pair) => pair.length === 2 && pair.every(Number.isFinite)) ? new Polygon(points, scales) : null;
  }
  return null;
}

function short(value) {
  return String(Number(value.toPrecision(6)));
}

/** Rows inside a shape. @returns {Uint32Array} */
export function rowsInside(shape, x, y) {
  const found = new Uint32Array(x.length);
  let count = 0;
  for (let i = 0; i < x.length; i++) if (shape.has(x[i], y[i])) found[count++] = i;
  return found.slice(0, count);
}

/** Count, mean, standard deviation, median, quartiles, least and greatest of a column (over `rows`, or all). */
export function statistics(values, rows = null) {
  const n = rows ? rows.length : values.length;
  const found = new Float64Array(n);
  let count = 0;
  let sum = 0;
  for (let k = 0; k < n; k++) {
    const value = values[rows ? rows[k] : k];
    if (Number.isFinite(value)) {
      found[count++] = value;
      sum += value;
    }
  }
  if (count === 0) return { count: 0, mean: NaN, sd: NaN, median: NaN, q25: NaN, q75: NaN, min: NaN, max: NaN };
  const sorted = found.subarray(0, count).sort();
  const mean = sum / count;
  let squares = 0;
  for (const value of sorted) squares += (value - mean) ** 2;
  const at = (share) => {
    const place = share * (count - 1);
    const low = Math.floor(place);
    return sorted[low] + (sorted[Math.min(count - 1, low + 1)] - sorted[low]) * (place - low);
  };
  return { count, mean, sd: Math.sqrt(squares / count), median: at(0.5), q25: at(0.25), q75: at(0.75), min: sorted[0], max: sorted[count - 1] };
}
