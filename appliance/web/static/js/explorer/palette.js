// Colours: a perceptually even map from dark violet to yellow, and the colours of the page's design.

const STOPS = [
  [68, 1, 84], [71, 44, 122], [59, 81, 139], [44, 113, 142], [33, 144, 141],
  [39, 173, 129], [92, 200, 99], [170, 220, 50], [253, 231, 37],
];

/** 256 opaque colours as the bytes of ImageData, packed for a Uint32Array (little endian). */
export const map = new Uint32Array(256);
for (let i = 0; i < 256; i++) {
  const place = (i / 255) * (STOPS.length - 1);
  const low = Math.min(STOPS.length - 2, Math.floor(place));
  const share = place - low;
  const mixed = STOPS[low].map((value, channel) => Math.round(value + (STOPS[low + 1][channel] - value) * share));
  map[i] = packed(...mixed);
}

/** One opaque colour for a Uint32Array over ImageData. */
export function packed(red, green, blue, alpha = 255) {
  return ((alpha << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

/** A design token as CSS colour, and as [red, green, blue]. Follows the page's theme. */
export function token(name) {
  const probe = document.createElement("span");
  probe.hidden = true;
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const text = getComputedStyle(probe).color;
  probe.remove();
  const numbers = (text.match(/[\d.]+/g) ?? [0, 0, 0]).map(Number);
  return { css: text, rgb: numbers.slice(0, 3) };
}
