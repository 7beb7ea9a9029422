// Values of the supplements' table: as people type them, as they are stored, and on the clipboard.

/** A value as it is stored, from what people type or paste: "0,5", "ja", "24.11.2026". */
export function read(column, text) {
  const plain = text.replace(/\r\n?/g, "\n").trim();
  const choice = column.choices.find(([value, label]) => value.toLowerCase() === plain.toLowerCase() || label.toLowerCase() === plain.toLowerCase());
  if (choice) return choice[0];
  if (column.kind === "float") return plain.replace(",", ".");
  const day = column.kind === "date" && /^(\d{1,2})\.(\d{1,2})\.(\d{4})$/.exec(plain);
  return day ? `${day[3]}-${day[2].padStart(2, "0")}-${day[1].padStart(2, "0")}` : plain;
}

const COMPARED = { ">": (a, b) => a > b, ">=": (a, b) => a >= b, "<": (a, b) => a < b, "<=": (a, b) => a <= b };

/** May a column hold this value? The server decides; this is told at once. */
export function fits({ kind, rule, choices }, value) {
  if (value === "") return true;
  if (kind === "boolean" || kind === "select") return choices.some(([one]) => one === value);
  if (kind === "date") return /^\d{4}-\d\d-\d\d$/.test(value) && !Number.isNaN(Date.parse(value));
  if (kind !== "float" && kind !== "integer") return true;
  if (!(kind === "integer" ? /^[+-]?\d+$/ : /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i).test(value)) return false;
  const [, sign, limit] = /^([<>]=?)(.+)$/.exec(rule) ?? [];
  return !sign || COMPARED[sign](Number(value), Number(limit));
}

/** A cell as spreadsheet programs put it on the clipboard. */
export const quoted = (text) => (/[\t\n"]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** Lines of cells as spreadsheet programs put them on the clipboard: tabs between, quotation marks around what holds tabs or lines. */
export function lines(text) {
  const found = [[""]];
  let inside = false;
  const whole = text.replace(/\r\n?/g, "\n").replace(/\n$/, "");
  for (let i = 0; i < whole.length; i++) {
    const sign = whole[i];
    const row = found.at(-1);
    if (inside && sign === '"' && whole[i + 1] === '"') row[row.length - 1] += whole[++i];
    else if (inside && sign === '"') inside = false;
    else if (inside) row[row.length - 1] += sign;
    else if (sign === '"' && row.at(-1) === "") inside = true;
    else if (sign === "\t") row.push("");
    else if (sign === "\n") found.push([""]);
    else row[row.length - 1] += sign;
  }
  return inside ? whole.split("\n").map((line) => line.split("\t")) : found;
}
