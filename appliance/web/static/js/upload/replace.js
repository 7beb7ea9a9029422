// "Replace" on the page of a draft's files: another file takes the place, the description and the metadata of one.

import { fitting } from "./folders.js";
import { Refused, Transfer } from "./transfer.js";

const data = JSON.parse(document.getElementById("replace-data").textContent);
const words = data.words;
let running = 0;

function checksum(file) {
  return new Promise((resolve, reject) => {
    const hasher = new Worker(new URL("./hasher.js", import.meta.url), { type: "module" });
    hasher.addEventListener("message", ({ data: { sha256, error } }) => {
      if (!sha256 && !error) return;
      hasher.terminate();
      if (sha256) resolve(sha256);
      else reject(new Refused(error));
    });
    hasher.postMessage({ id: "one", file });
  });
}

async function replace(field, file) {
  const line = field.closest("li");
  const tell = (text) => (line.querySelector("[data-progress]").textContent = text);
  const suffix = field.dataset.suffix;
  if (!file.name.endsWith(suffix)) return tell(words.suffix.replace("{suffix}", suffix));
  if (file.size === 0) return tell(words.empty);
  if (file.size > data.largest) return tell(words.large);
  field.disabled = true;
  running++;
  try {
    const transfer = new Transfer(data.dataset, file, fitting(file.name), {
      insteadOf: field.dataset.replace,
      state: (word) => word !== "sending" && tell(words[word] ?? ""),
      progress: (sent) => tell(words.sending.replace("{share}", `${Math.floor((100 * sent) / file.size)} %`)),
    });
    const sum = checksum(file);
    sum.catch(() => {}); // awaited below
    await transfer.send(new AbortController().signal);
    tell(words.hashing);
    const made = await transfer.finish(await sum, {}, new AbortController().signal);
    running--;
    const page = new URL(location.pathname, location.href);
    page.searchParams.set("replaced", made.id);
    page.searchParams.set("was", field.dataset.replace);
    if (running === 0) location.assign(page);
    else tell(made.name);
  } catch (error) {
    running--;
    field.disabled = false;
    tell(words.failed.replace("{reason}", error.message));
  }
}

for (const field of document.querySelectorAll("[data-replace]")) {
  field.addEventListener("change", () => {
    const [file] = field.files;
    field.value = "";
    if (file) replace(field, file);
  });
}

window.addEventListener("beforeunload", (event) => {
  if (!running) return;
  event.preventDefault();
  event.returnValue = words.leave;
});
