// Which rows are selected, and what can be said about them.

/** The numbers of the rows that are marked in `inside`. @returns {Uint32Array} */
export function rowsOf(inside) {
  const found = new Uint32Array(inside.length);
  let count = 0;
  for (let i = 0; i < inside.length; i++) if (inside[i]) found[count++] = i;
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
