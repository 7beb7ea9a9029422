// Ticked boxes in lists of datasets: kept over filtering and paging in this tab, counted, and sent with the buttons' form.

const form = document.getElementById("bulk");
const KEY = `selection ${form?.dataset.owner ?? ""} ${form?.dataset.list ?? ""}`;
if (form && "forget" in form.dataset) forget(); // what was selected has just been deleted or restored
const chosen = new Set(read());

function read() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? "[]");
  } catch {
    return []; // storage is switched off: ticks last as long as the page
  }
}

function forget() {
  try {
    for (const key of Object.keys(sessionStorage)) if (key.startsWith("selection ")) sessionStorage.removeItem(key);
  } catch {
    // as above
  }
}

function keep() {
  try {
    sessionStorage.setItem(KEY, JSON.stringify([...chosen]));
  } catch {
    // as above
  }
}

const boxes = () => [...document.querySelectorAll("input[name=id][form=bulk]")];

/** Bring boxes, count and buttons in step with what is chosen. */
function show() {
  const here = boxes();
  for (const box of here) box.checked = chosen.has(box.value);
  const bar = document.querySelector("[data-bulk]");
  if (!bar) return;
  const ticked = here.filter((box) => box.checked).length;
  const all = bar.querySelector("[data-bulk-all]");
  all.checked = here.length > 0 && ticked === here.length;
  all.indeterminate = ticked > 0 && ticked < here.length;
  const most = Number(form.dataset.most);
  const count = bar.querySelector("[data-bulk-count]");
  count.textContent = (chosen.size > most ? form.dataset.tooMany : form.dataset.count).replace("{n}", chosen.size.toLocaleString(document.documentElement.lang));
  for (const button of bar.querySelectorAll("button[form=bulk]")) button.disabled = chosen.size === 0 || chosen.size > most;
  bar.querySelector("[data-bulk-clear]").hidden = chosen.size === 0;
}

function tick(box, on) {
  if (on) chosen.add(box.value);
  else chosen.delete(box.value);
}

if (form) {
  document.addEventListener("change", (event) => {
    if (event.target.matches("input[name=id][form=bulk]")) tick(event.target, event.target.checked);
    else if (event.target.matches("[data-bulk-all]")) for (const box of boxes()) tick(box, event.target.checked);
    else return;
    keep();
    show();
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-bulk-clear]")) return;
    chosen.clear();
    keep();
    show();
    document.querySelector("[data-bulk-all]").focus();
  });
  form.addEventListener("formdata", (event) => {
    event.formData.delete("id");
    for (const id of chosen) event.formData.append("id", id);
  });
  document.addEventListener("results-changed", show);
  addEventListener("pageshow", show); // also after "back", when the browser restores the boxes by itself
  show();
}
