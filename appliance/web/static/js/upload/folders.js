// Files out of what was dropped or chosen, folders walked through, and names made fit for the server.

/** All files of a drop, those in folders included. */
export async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (entries.length === 0) return [...transfer.files];
  return (await Promise.all(entries.map(walk))).flat();
}

async function walk(entry) {
  if (entry.name.startsWith(".")) return [];
  if (entry.isFile) return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject)); // at most 100 at once
    if (some.length === 0) break;
    found.push(...(await Promise.all(some.map(walk))).flat());
  }
  return found;
}

const LETTERS = { ä: "ae", ö: "oe", ü: "ue", Ä: "Ae", Ö: "Oe", Ü: "Ue", ß: "ss", µ: "u" };

/** A file name of letters, digits and . , - _ + ( ) [ ] as the server accepts. */
export function fitting(name) {
  return name
    .replace(/[äöüÄÖÜßµ]/g, (letter) => LETTERS[letter])
    .normalize("NFKD")
    .replace(/[\u0300-\u036f]/g, "")
    .replace(/[^A-Za-z0-9.,\-_+()[\]]+/g, "_");
}
