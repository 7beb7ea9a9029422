// The view as a link: what the address says when the page opens, and the address of what is shown.

/** Longest text of gates in a link: longer ones are kept with the dataset instead. */
export const LONGEST_GATES = 12000;

/** What the address asks for: a URLSearchParams. */
export function asked() {
  return new URLSearchParams(location.search);
}

/** Limits of the view for a link: "all", four numbers, or null for the first view. */
export function viewText({ scaleX, scaleY }, moved) {
  if (moved === "all") return "all";
  return moved ? [scaleX.low, scaleX.high, scaleY.low, scaleY.high].map((value) => Number(value.toPrecision(6))).join(",") : null;
}

/** The four numbers of a link's view, or null. */
export function viewNumbers(text) {
  const numbers = (text ?? "").split(",").map(Number);
  return numbers.length === 4 && numbers.every(Number.isFinite) ? numbers : null;
}

/** Write the state into the address: {x, y, colour, …} are the controls. */
export function write({ x, y, xlog, ylog, colour, contours, marginals }, { gates, view, event, young }) {
  const shown = { contours, marginals };
  const url = new URL(location);
  const state = {
    x: x.value,
    y: y.value,
    xs: xlog.checked ? "log" : null,
    ys: ylog.checked ? "log" : null,
    colour: colour.value || null,
    show: Object.keys(shown).filter((key) => shown[key].checked).join(",") || null,
    view,
    sel: null,
    gates: gates.text.length <= LONGEST_GATES ? gates.text || null : null,
    gate: gates.active || null,
    event,
    ...young,
  };
  for (const [key, value] of Object.entries(state)) {
    if (value === null) url.searchParams.delete(key);
    else url.searchParams.set(key, value);
  }
  url.hash = "explorer";
  history.replaceState(history.state, "", url);
}

/** The address of the statistics of all events beside those of other measurements, with the same gates and conditions. */
export function exact(id, { x, y }, gates, young) {
  const query = new URLSearchParams([["r", id], ["f", x.value], ["f", y.value]]);
  if (gates.length) query.set("g", JSON.stringify(gates));
  for (const [key, value] of Object.entries(young ?? {})) query.set(key, value);
  return `/compare?${query}`;
}
