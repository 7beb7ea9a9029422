// What leaves the explorer: statistics as a table and as CSV, the plot as PNG, the view as a link.

import { significant, whole } from "./scale.js";

const COLUMNS = ["count", "mean", "median", "mode", "sd", "cv", "p10", "q25", "q75", "p90", "min", "max"];

/** Fill the table body: one row per feature, its statistics in columns. */
export function fillTable(body, rows) {
  body.replaceChildren(
    ...rows.map(({ label, unit, numbers }) => {
      const row = document.createElement("tr");
      const head = document.createElement("th");
      head.scope = "row";
      head.textContent = unit ? `${label} [${unit}]` : label;
      row.append(head);
      for (const key of ["median", "mean", "sd", "q25", "q75"]) {
        const cell = document.createElement("td");
        cell.className = "num";
        cell.textContent = significant(numbers[key]);
        row.append(cell);
      }
      return row;
    }),
  );
}

/** Statistics as CSV: a comment with the view, a header, one line per gate and feature. */
export function csv(rows, about) {
  // A name that a spreadsheet would take for a formula gets an apostrophe, whatever else is in it.
  const harmless = (text) => (/^[=+@\t\r-]/.test(text) ? `'${text}` : text);
  const quote = (text) => (/[",\r\n]/.test(text) ? `"${harmless(text).replaceAll('"', '""')}"` : harmless(text));
  const cell = (value) => (value === null || value === undefined ? "" : String(value));
  const lines = [`# ${about.replaceAll("\n", " ")}`, ["gate", "events", "share", "rate", "feature", "label", "unit", ...COLUMNS].join(",")];
  for (const { gate, events, share, rate, name, label, unit, numbers } of rows) lines.push([quote(gate), cell(events), cell(share), cell(rate), quote(name), quote(label), quote(unit), ...COLUMNS.map((key) => cell(numbers[key]))].join(","));
  return `${lines.join("\r\n")}\r\n`;
}

/** Hand a file to the reader. */
export function save(content, type, name) {
  const url = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

/** "1,234 of 5,678 events (21.7 %)" in the page's words. */
export function share(words, count, all) {
  return words.selected.replace("{count}", whole(count)).replace("{all}", whole(all)).replace("{share}", significant((100 * count) / Math.max(1, all), 3));
}
