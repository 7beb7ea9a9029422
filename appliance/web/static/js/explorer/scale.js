// Axes: from values to the unit interval and back, linear or logarithmic, with ticks at round numbers.

/** A range of values on a linear or logarithmic axis. */
export class Scale {
  /** @param {number} low @param {number} high limits in values @param {boolean} log */
  constructor(low, high, log = false) {
    this.log = log;
    if (log) {
      low = low > 0 ? low : high > 0 ? high / 1e4 : 1e-3;
      high = high > low ? high : low * 10;
    }
    if (!(high > low)) {
      const middle = Number.isFinite(low) ? low : 0;
      low = middle - 0.5;
      high = middle + 0.5;
    }
    this.low = low;
    this.high = high;
    this.from = log ? Math.log10(low) : low;
    this.span = (log ? Math.log10(high) : high) - this.from;
  }

  /** Position of a value: 0 at the low end, 1 at the high end; NaN where it has none. */
  position(value) {
    return ((this.log ? Math.log10(value) : value) - this.from) / this.span;
  }

  /** The value at a position. */
  value(position) {
    const found = this.from + position * this.span;
    return this.log ? 10 ** found : found;
  }

  /** Moved by a share of its length. */
  moved(share) {
    return new Scale(this.value(share), this.value(1 + share), this.log);
  }

  /** Zoomed by a factor (< 1: closer) about a position. */
  zoomed(factor, about) {
    return new Scale(this.value(about - about * factor), this.value(about + (1 - about) * factor), this.log);
  }

  /** Round values inside the range, about `count` of them: [{value, label}]. */
  ticks(count, format) {
    return this.log && this.span > 0.7 ? this.#logTicks(format) : this.#linearTicks(count, format);
  }

  #linearTicks(count, format) {
    const raw = (this.high - this.low) / Math.max(1, count);
    const power = 10 ** Math.floor(Math.log10(raw));
    const step = power * ([1, 2, 2.5, 5, 10].find((one) => one * power >= raw) ?? 10);
    const found = [];
    for (let n = Math.ceil(this.low / step - 1e-9); n * step <= this.high + step * 1e-9; n++) {
      const value = Math.abs(n * step) < step * 1e-9 ? 0 : n * step;
      found.push({ value, label: format(value, step) });
      if (found.length > 50) break;
    }
    return found;
  }

  #logTicks(format) {
    const found = [];
    const first = Math.floor(this.from);
    const last = Math.ceil(this.from + this.span);
    const stride = Math.max(1, Math.ceil((last - first) / 8));
    for (let power = first; power <= last; power++) {
      for (const lead of this.span < 3 ? [1, 2, 5] : [1]) {
        const value = lead * 10 ** power;
        if (value < this.low * 0.999999 || value > this.high * 1.000001) continue;
        found.push({ value, label: (power - first) % stride ? "" : format(value, value) });
      }
    }
    return found;
  }
}

const language = document.documentElement.lang || "en";

/** A number as the reader writes it, with `digits` significant digits. */
export function significant(value, digits = 4) {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e7 || size < 1e-4)) return value.toExponential(digits - 1).replace(".", language === "de" ? "," : ".").replace(/e\+?(-?\d+)/, (_, power) => `·10${[...power].map((sign) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(sign)]).join("")}`);
  return value.toLocaleString(language, { maximumSignificantDigits: digits });
}

/** An integer with separators. */
export function whole(value) {
  return value.toLocaleString(language);
}

/** A tick's label: as many decimals as the step between ticks needs. */
export function tickLabel(value, step) {
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e6 || size < 1e-4)) return significant(value, 3);
  const decimals = Math.max(0, Math.min(8, -Math.floor(Math.log10(step) + 1e-9)));
  const extra = Math.abs(step * 10 ** decimals - Math.round(step * 10 ** decimals)) > 1e-6 ? 1 : 0;
  return value.toLocaleString(language, { minimumFractionDigits: 0, maximumFractionDigits: decimals + extra });
}

/** The limits that show every value of a column, a little widened. */
export function extent(values, log) {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (!Number.isFinite(value) || (log && value <= 0)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low > high) return log ? [0.1, 10] : [0, 1];
  const wide = new Scale(low, high, log);
  return [wide.value(-0.02), wide.value(1.02)];
}

/** The limits that show a column well: its 0.2 % to 99.8 % quantiles (by a sample), a little widened. */
export function limits(values, log) {
  const sample = [];
  const stride = Math.max(1, Math.floor(values.length / 20000));
  for (let i = 0; i < values.length; i += stride) {
    const value = values[i];
    if (Number.isFinite(value) && (!log || value > 0)) sample.push(value);
  }
  if (sample.length === 0) return log ? [0.1, 10] : [0, 1];
  sample.sort((a, b) => a - b);
  const at = (share) => sample[Math.min(sample.length - 1, Math.max(0, Math.round(share * (sample.length - 1))))];
  const few = sample.length < 500;
  const low = few ? sample[0] : at(0.002);
  const high = few ? sample[sample.length - 1] : at(0.998);
  const wide = new Scale(low, high, log);
  return [wide.value(-0.04), wide.value(1.04)];
}

/** Colour index (0–255) of each value, between the 2 % and 98 % quantiles. */
export function coloursOf(values) {
  const [low, high] = limits(values, false);
  const found = new Uint8Array(values.length);
  const factor = 255 / (high - low || 1);
  for (let i = 0; i < values.length; i++) found[i] = Math.max(0, Math.min(255, (values[i] - low) * factor));
  return found;
}
