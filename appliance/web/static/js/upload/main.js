// The page on which files are added to a draft: the list, the queue, progress with rate and remaining time.

import { dropped, fitting } from "./folders.js";
import { allFit, values } from "./supplements.js";
import { Refused, Transfer } from "./transfer.js";

const AT_ONCE = 3;
const root = document.getElementById("upload");
const data = JSON.parse(document.getElementById("upload-data").textContent);
const words = data.words;
const at = (name) => root.querySelector(`[data-${name}]`);
const language = document.documentElement.lang;
const icons = document.querySelector("svg use").getAttribute("href").split("#")[0];

const form = document.getElementById("supplements");

const entries = [];
const byName = new Intl.Collator("en", { numeric: true, sensitivity: "base" }).compare; // 1, 2, 10
const present = new Map(data.present.map(({ name, size }) => [name, size]));
let stop = new AbortController();
let paused = false;

// --- checksums, one file after the other, in a worker --------------------------------------------------------------

const hasher = new Worker(new URL("./hasher.js", import.meta.url), { type: "module" });
const hashing = new Map();
hasher.addEventListener("message", ({ data: { id, sha256, error } }) => {
  if (sha256) hashing.get(id)?.resolve(sha256);
  if (error) hashing.get(id)?.reject(new Refused(error));
});

function sha256Of(entry) {
  entry.sha256 ??= new Promise((resolve, reject) => {
    hashing.set(entry.id, { resolve, reject });
    hasher.postMessage({ id: entry.id, file: entry.file });
  });
  return entry.sha256;
}

// --- the list ------------------------------------------------------------------------------------------------------

function add(files) {
  for (const file of [...files].sort((a, b) => byName(a.name, b.name))) {
    const name = fitting(file.name);
    if (name.startsWith(".") || entries.some((entry) => entry.name === name && entry.state !== "failed")) continue;
    const entry = { id: crypto.randomUUID(), file, name, sent: 0, state: "chosen", note: "" };
    const suffix = name.includes(".") ? name.slice(name.lastIndexOf(".")) : "";
    if (!data.suffixes.includes(suffix)) refuse(entry, words.suffix);
    else if (file.size === 0) refuse(entry, words.empty);
    else if (file.size > data.largest) refuse(entry, words.large);
    else if (present.has(name) && present.get(name) !== file.size) refuse(entry, words.twice);
    else if (present.has(name)) {
      entry.state = "present";
      entry.sent = file.size;
    }
    if (name !== file.name) entry.note = words.renamed.replace("{name}", name);
    entries.push(entry);
    at("list").append(line(entry));
    show(entry);
  }
  if (entries.some((entry) => entry.state === "chosen" && entry.name.endsWith(".rtdc"))) form.closest("details").open = true;
  listed();
}

/** The list has changed: show it, what can be started, and whether all has arrived. */
function listed() {
  at("panel").hidden = entries.length === 0;
  const chosen = entries.filter((entry) => entry.state === "chosen");
  at("start-bar").hidden = chosen.length === 0;
  at("start-text").textContent = words.chosenTotal.replace("{n}", chosen.length.toLocaleString(language)).replace("{size}", size(chosen.reduce((sum, entry) => sum + entry.file.size, 0)));
  total();
  pump();
}

function refuse(entry, reason) {
  entry.state = "failed";
  entry.reason = reason;
  entry.final = true;
}

function line(entry) {
  const item = document.createElement("li");
  item.innerHTML = '<svg class="icon" aria-hidden="true"><use></use></svg><span class="name"></span><span class="end"></span><span class="state small"></span><progress max="1" value="0"></progress>';
  item.querySelector(".name").textContent = entry.file.name;
  item.querySelector("progress").setAttribute("aria-label", entry.file.name);
  item.querySelector(".end").textContent = size(entry.file.size);
  const remove = document.createElement("button");
  remove.type = "button";
  remove.className = "button button-s button-icon";
  remove.dataset.remove = "";
  remove.innerHTML = `<svg class="icon" aria-hidden="true"><use href="${icons}#close"></use></svg>`;
  remove.setAttribute("aria-label", words.remove.replace("{name}", entry.file.name));
  remove.addEventListener("click", () => {
    entries.splice(entries.indexOf(entry), 1);
    const next = item.nextElementSibling ?? item.previousElementSibling;
    item.remove();
    (next?.querySelector("[data-remove]:not([hidden])") ?? at("files")).focus();
    listed();
  });
  item.querySelector(".end").append(" ", remove);
  entry.line = item;
  return item;
}

function show(entry) {
  const item = entry.line;
  item.dataset.state = entry.state;
  const icon = { done: "check-circle", present: "check-circle", failed: "error" }[entry.state] ?? "file";
  item.querySelector("use").setAttribute("href", `${icons}#${icon}`);
  const state = entry.state === "waiting" && paused ? "paused" : entry.state;
  const text = state === "failed" ? words.failed.replace("{reason}", entry.reason) : words[state];
  item.querySelector(".state").textContent = [text, entry.note].filter(Boolean).join(" · ");
  item.querySelector("progress").value = entry.file.size ? entry.sent / entry.file.size : 1;
  const removable = entry.state === "chosen" || entry.state === "failed";
  item.querySelector("[data-remove]").hidden = !removable;
  if (entry.state === "failed" && !entry.final && !item.querySelector("[data-again]")) {
    const again = document.createElement("button");
    again.type = "button";
    again.className = "button button-s";
    again.dataset.again = "";
    again.textContent = words.retry;
    again.addEventListener("click", () => {
      again.remove();
      entry.state = "waiting";
      show(entry);
      pump();
    });
    item.querySelector(".end").append(" ", again); // ends up behind the size
  }
}

// --- the queue -----------------------------------------------------------------------------------------------------

function pump() {
  if (paused) return;
  const held = entries.some((entry) => entry.state === "waiting" && entry.name.endsWith(".rtdc")) && !allFit(form);
  at("held").hidden = !held;
  if (held) {
    form.closest("details").open = true;
    return;
  }
  const running = entries.filter((entry) => entry.running).length;
  for (const entry of entries.filter((one) => one.state === "waiting" && !one.running).slice(0, AT_ONCE - running)) run(entry);
}

async function run(entry) {
  entry.running = true;
  const set = (state) => {
    entry.state = state;
    show(entry);
  };
  const transfer = new Transfer(data.dataset, entry.file, entry.name, {
    state: set,
    progress: (sent) => {
      entry.sent = sent;
      show(entry);
      total();
    },
  });
  try {
    set("sending");
    const checksum = sha256Of(entry);
    checksum.catch(() => {}); // awaited below
    await transfer.send(stop.signal);
    set("finishing");
    const sum = await checksum;
    if (entry.name.endsWith(".rtdc")) await fitted(stop.signal);
    const made = await inTurn(() => transfer.finish(sum, { ...(entry.name.endsWith(".rtdc") ? values(form) : {}), before: next(entry) }, stop.signal));
    entry.made = made.id;
    entry.sent = entry.file.size;
    present.set(entry.name, entry.file.size);
    set("done");
    enlist(made, entry);
  } catch (error) {
    if (error.name === "AbortError") {
      set("waiting");
    } else {
      entry.reason = error.message;
      set("failed");
    }
  }
  entry.running = false;
  total();
  pump();
}

/** Files become part of the dataset one after the other, so that each knows which of the others are there already. */
let last = Promise.resolve();
function inTurn(act) {
  const turn = last.then(act);
  last = turn.catch(() => {});
  return turn;
}

/** Of the files of this upload that are there already: the one that a file stands in front of, whichever arrived first. */
function next(entry) {
  return entries.filter((one) => one.made && byName(one.name, entry.name) > 0).sort((a, b) => byName(a.name, b.name))[0]?.made;
}

/** Wait until the supplementary metadata fit, as they are sent with the end of each file. */
async function fitted(signal) {
  while (!allFit(form)) {
    at("held").hidden = false;
    await new Promise((resolve, reject) => {
      form.addEventListener("change", resolve, { once: true });
      signal.addEventListener("abort", () => reject(new DOMException("stopped", "AbortError")), { once: true });
    });
  }
  at("held").hidden = true;
}

/** Name a new file beside the upload, with the way to its description. */
function enlist(made, entry) {
  const box = document.getElementById("present");
  const item = document.createElement("li");
  item.innerHTML = '<a class="small"></a><span class="faint small nowrap"></span>';
  item.firstChild.textContent = made.name ?? entry.name;
  item.firstChild.href = `/dataset/${data.dataset}/resource/${made.id}/edit`;
  item.lastChild.textContent = size(entry.file.size);
  box.querySelector("ul").append(item);
  box.querySelector(".count").textContent = box.querySelectorAll("li").length.toLocaleString(language);
  box.querySelector("[data-none]")?.remove();
}

// --- progress ------------------------------------------------------------------------------------------------------

const samples = [];

function total() {
  const counted = entries.filter((entry) => entry.state !== "failed");
  const all = counted.reduce((sum, entry) => sum + entry.file.size, 0);
  const sent = counted.reduce((sum, entry) => sum + entry.sent, 0);
  const done = counted.filter((entry) => entry.state === "done" || entry.state === "present").length;
  at("progress").value = all ? sent / all : 0;
  at("total").textContent = words.total.replace("{done}", done).replace("{all}", counted.length).replace("{sent}", size(sent)).replace("{size}", size(all));
  const failed = entries.length - counted.length;
  if (failed) at("total").textContent += ` · ${words.failedCount.replace("{n}", failed.toLocaleString(language))}`;
  const now = performance.now();
  if (samples.length && sent < samples.at(-1)[1]) samples.length = 0; // a piece that a pause or a lost connection cut is sent again
  samples.push([now, sent]);
  while (samples.length > 2 && now - samples[0][0] > 8000) samples.shift();
  const [first] = samples;
  const rate = ((sent - first[1]) / Math.max(1, now - first[0])) * 1000;
  const open = counted.some((entry) => entry.running || entry.state === "waiting");
  at("rate").textContent = open && !paused && rate > 0 && now - first[0] > 800 ? words.rate.replace("{rate}", size(rate)).replace("{time}", span((all - sent) / rate)) : "";
  at("finished").hidden = done === 0 || done < entries.length;
  root.dataset.open = open ? "yes" : "no";
}

function size(bytes) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  let value = bytes;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value.toLocaleString(language, { maximumSignificantDigits: 3 })} ${units[unit]}`;
}

function span(seconds) {
  if (seconds < 90) return words.seconds.replace("{n}", Math.max(1, Math.round(seconds)));
  if (seconds < 5400) return words.minutes.replace("{n}", Math.round(seconds / 60));
  return words.hours.replace("{n}", (seconds / 3600).toLocaleString(language, { maximumFractionDigits: 1 }));
}

// --- input ---------------------------------------------------------------------------------------------------------

for (const name of ["files", "folder"]) {
  at(name).addEventListener("change", (event) => {
    add([...event.target.files]);
    event.target.value = "";
  });
}
const drop = at("drop");
for (const kind of ["dragenter", "dragover"]) {
  drop.addEventListener(kind, (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
}
drop.addEventListener("dragleave", (event) => {
  if (!drop.contains(event.relatedTarget)) drop.classList.remove("over");
});
drop.addEventListener("drop", async (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  add(await dropped(event.dataTransfer));
});
window.addEventListener("dragover", (event) => event.preventDefault());
window.addEventListener("drop", (event) => event.preventDefault());
form.addEventListener("change", pump);
form.addEventListener("submit", (event) => event.preventDefault());
at("pause").addEventListener("click", () => {
  paused = true;
  stop.abort();
  stop = new AbortController();
  samples.length = 0;
  toggle();
  total();
});
at("start").addEventListener("click", () => {
  for (const entry of entries.filter((one) => one.state === "chosen")) {
    entry.state = "waiting";
    show(entry);
  }
  if (paused) at("resume").click();
  listed();
});
at("resume").addEventListener("click", () => {
  paused = false;
  samples.length = 0;
  toggle();
  pump();
});

function toggle() {
  at("pause").hidden = paused;
  at("resume").hidden = !paused;
  for (const entry of entries) show(entry);
}

window.addEventListener("beforeunload", (event) => {
  if (entries.some((entry) => entry.running)) {
    event.preventDefault();
    event.returnValue = words.leave;
  }
});

// What was begun before, perhaps in another session.
fetch(`/upload/browser?dataset=${data.dataset}`, { headers: { Accept: "application/json" } })
  .then((answer) => (answer.ok ? answer.json() : []))
  .then((found) => {
    const open = found.filter((one) => one.offset > 0);
    if (open.length) at("unfinished").textContent = words.unfinished.replace("{names}", open.map((one) => `${one.name} (${Math.floor((100 * one.offset) / one.size)} %)`).join(", "));
  })
  .catch(() => {});
