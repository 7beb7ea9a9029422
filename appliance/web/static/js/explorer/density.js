// How crowded each point's surroundings are: a smoothed histogram, read off bilinearly at each point.

/** Cells along each axis. */
export const BINS = 160;
const RADIUS = 3;

/**
 * Colour index (0…255) of each point by density.
 * @param {Float32Array} px positions on the x axis (0…1; others are outside) @param {Float32Array} py likewise
 * @returns {Uint8Array}
 */
export function density(px, py) {
  const n = px.length;
  const smooth = grid(px, py);
  let top = 0;
  for (let i = 0; i < smooth.length; i++) if (smooth[i] > top) top = smooth[i];
  const found = new Uint8Array(n);
  if (top === 0) return found;
  const factor = 255 / Math.sqrt(top);
  for (let i = 0; i < n; i++) {
    const x = px[i] * BINS - 0.5;
    const y = py[i] * BINS - 0.5;
    if (!(x > -1 && x < BINS && y > -1 && y < BINS)) continue;
    const x0 = Math.max(0, Math.floor(x));
    const y0 = Math.max(0, Math.floor(y));
    const x1 = Math.min(BINS - 1, x0 + 1);
    const y1 = Math.min(BINS - 1, y0 + 1);
    const fx = Math.max(0, x - x0);
    const fy = Math.max(0, y - y0);
    const value = (smooth[y0 * BINS + x0] * (1 - fx) + smooth[y0 * BINS + x1] * fx) * (1 - fy) + (smooth[y1 * BINS + x0] * (1 - fx) + smooth[y1 * BINS + x1] * fx) * fy;
    found[i] = Math.min(255, Math.sqrt(value) * factor);
  }
  return found;
}

/** The smoothed histogram of the visible points, row by row from the bottom. @returns {Float32Array} */
export function grid(px, py) {
  const counts = new Float32Array(BINS * BINS);
  for (let i = 0; i < px.length; i++) {
    const x = px[i] * BINS;
    const y = py[i] * BINS;
    if (x >= 0 && x < BINS && y >= 0 && y < BINS) counts[(y | 0) * BINS + (x | 0)]++;
  }
  return blurred(blurred(counts));
}

/** A box blur along both axes; two of them are near enough to a Gaussian. */
function blurred(source) {
  const rows = new Float32Array(source.length);
  const target = new Float32Array(source.length);
  pass(source, rows, 1, BINS);
  pass(rows, target, BINS, 1);
  return target;
}

function pass(source, target, step, line) {
  for (let k = 0; k < BINS; k++) {
    const start = k * line;
    let sum = 0;
    for (let i = 0; i <= RADIUS; i++) sum += source[start + i * step];
    for (let i = 0; i < BINS; i++) {
      target[start + i * step] = sum;
      if (i + RADIUS + 1 < BINS) sum += source[start + (i + RADIUS + 1) * step];
      if (i - RADIUS >= 0) sum -= source[start + (i - RADIUS) * step];
    }
  }
}

/** Row numbers in random order, always the same for the same number of rows, so that no group of events lies on top of the others. */
export function randomOrder(rows) {
  if (shuffled.length !== rows) shuffled = shuffle(rows);
  return shuffled;
}

let shuffled = new Uint32Array(0);

function shuffle(rows) {
  const order = Uint32Array.from({ length: rows }, (_, i) => i);
  let state = 0x2545f491;
  for (let i = rows - 1; i > 0; i--) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    const other = (state >>> 0) % (i + 1);
    [order[i], order[other]] = [order[other], order[i]];
  }
  return order;
}

/** Row numbers ordered by colour index, the least crowded first, so that the dense middle is drawn last (counting sort). */
export function drawingOrder(colours) {
  const starts = new Uint32Array(257);
  for (let i = 0; i < colours.length; i++) starts[colours[i] + 1]++;
  for (let i = 0; i < 256; i++) starts[i + 1] += starts[i];
  const order = new Uint32Array(colours.length);
  for (let i = 0; i < colours.length; i++) order[starts[colours[i]]++] = i;
  return order;
}
