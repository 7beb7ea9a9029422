// Supplementary metadata of all measurements of a draft, edited like a spreadsheet: select, type, copy, paste, fill down, undo.

import { fits, lines, quoted, read } from "./sheet-values.js";

const table = document.getElementById("sheet");
if (table) start();

function start() {
  const { columns, words } = JSON.parse(document.getElementById("sheet-data").textContent);
  const bar = document.querySelector(".sheet-bar");
  const at = (name) => bar.querySelector(`[data-${name}]`);
  const language = document.documentElement.lang;
  const rows = [...table.tBodies[0].rows];
  const stored = rows.map((row) => columns.map((_, k) => row.cells[k + 1].dataset.value ?? row.cells[k + 1].textContent));
  const values = stored.map((row) => [...row]);
  const refused = new Map(); // what the server said of a value that is still there: "row column" → sentence
  const undone = [];
  const done = [];
  let shown = columns.map((_, k) => k);
  let active = [0, 0];
  let anchor = [0, 0];
  let editor = null;
  let dragging = false;

  const cell = (r, c) => rows[r].cells[shown[c] + 1];
  const clamp = (value, most) => Math.min(Math.max(value, 0), most - 1);
  const span = () => ({
    top: Math.min(active[0], anchor[0]), bottom: Math.max(active[0], anchor[0]),
    left: Math.min(active[1], anchor[1]), right: Math.max(active[1], anchor[1]),
  });

  // --- values --------------------------------------------------------------------------------------------------------

  function fault(r, k) {
    return refused.get(`${r} ${k}`) ?? (values[r][k] === stored[r][k] || fits(columns[k], values[r][k]) ? "" : columns[k].wrong);
  }

  function paint(r, k) {
    const box = rows[r].cells[k + 1];
    const value = values[r][k];
    box.textContent = columns[k].choices.find(([one]) => one === value)?.[1] ?? value;
    box.classList.toggle("changed", value !== stored[r][k]);
    const wrong = fault(r, k);
    if (wrong) box.setAttribute("aria-invalid", "true");
    else box.removeAttribute("aria-invalid");
    box.title = wrong || (value.length > 24 ? value : "");
  }

  /** Write cells ([row, column, new value]) as one step that can be undone. */
  function write(edits) {
    const step = edits.filter(([r, k, value]) => values[r][k] !== value).map(([r, k, value]) => ({ r, k, from: values[r][k], to: value }));
    if (!step.length) return;
    done.push(step);
    undone.length = 0;
    replay(step, "to");
  }

  function replay(step, side) {
    for (const { r, k, [side]: value } of step) {
      values[r][k] = value;
      refused.delete(`${r} ${k}`);
      paint(r, k);
    }
    tell();
  }

  function step(from, to, side) {
    const last = from.pop();
    if (!last) return;
    to.push(last);
    replay(last, side);
    const place = shown.indexOf(last[0].k);
    if (place >= 0) select([last[0].r, place]);
  }

  const changed = () => values.flatMap((row, r) => row.flatMap((value, k) => (value === stored[r][k] ? [] : [[r, k]])));
  const invalid = () => changed().filter(([r, k]) => fault(r, k));

  function counted(one, many, count) {
    return count === 1 ? one : many.replace("{n}", count.toLocaleString(language));
  }

  function tell(text = "") {
    const count = changed().length;
    const { top, bottom, left, right } = span();
    const cells = (bottom - top + 1) * (right - left + 1);
    const own = fault(active[0], shown[active[1]]);
    const state = count ? counted(words.oneUnsaved, words.unsaved, count) : words.none;
    at("status").textContent = text || [own, cells > 1 ? words.selected.replace("{n}", cells.toLocaleString(language)) : "", state].filter(Boolean).join(" · ");
    at("save").disabled = count === 0;
    at("undo").disabled = done.length === 0;
    at("redo").disabled = undone.length === 0;
  }

  // --- selection -----------------------------------------------------------------------------------------------------

  function select(place, { extend = false, focus = true } = {}) {
    cell(...active).tabIndex = -1;
    active = [clamp(place[0], rows.length), clamp(place[1], shown.length)];
    if (!extend) anchor = active;
    for (const box of table.querySelectorAll(".selected")) {
      box.classList.remove("selected");
      box.removeAttribute("aria-selected");
    }
    const { top, bottom, left, right } = span();
    for (let r = top; r <= bottom; r++) {
      for (let c = left; c <= right; c++) {
        cell(r, c).classList.add("selected");
        cell(r, c).setAttribute("aria-selected", "true");
      }
    }
    cell(...active).tabIndex = 0;
    if (focus) {
      cell(...active).focus({ preventScroll: true });
      cell(...active).scrollIntoView({ block: "nearest", inline: "nearest" });
    }
    tell();
  }

  function selected(make) {
    const { top, bottom, left, right } = span();
    const edits = [];
    for (let r = top; r <= bottom; r++) for (let c = left; c <= right; c++) edits.push([r, shown[c], make(r, shown[c])]);
    return edits;
  }

  function fill() {
    const { top, bottom, left, right } = span();
    const last = bottom > top ? bottom : rows.length - 1;
    const edits = [];
    for (let r = top + 1; r <= last; r++) for (let c = left; c <= right; c++) edits.push([r, shown[c], values[top][shown[c]]]);
    write(edits);
  }

  // --- editing one cell ----------------------------------------------------------------------------------------------

  function edit(first) {
    const [r, c] = active;
    const k = shown[c];
    const box = cell(r, c);
    editor = document.createElement("input");
    editor.value = first ?? box.textContent;
    editor.setAttribute("aria-label", `${columns[k].label}, ${rows[r].cells[0].textContent}`);
    if (columns[k].choices.length) {
      const list = document.createElement("datalist");
      list.id = "sheet-choices";
      list.replaceChildren(...columns[k].choices.map(([, label]) => new Option(label, label)));
      editor.setAttribute("list", list.id);
      box.replaceChildren(editor, list);
    } else box.replaceChildren(editor);
    editor.addEventListener("blur", () => commit());
    editor.focus();
    if (first === undefined) editor.select();
  }

  function commit(keep = true) {
    if (!editor) return;
    const [r, c] = active;
    const text = editor.value;
    const before = editor;
    editor = null;
    before.remove();
    paint(r, shown[c]);
    if (keep) write([[r, shown[c], read(columns[shown[c]], text)]]);
    tell();
  }

  const MOVES = {
    ArrowUp: () => [active[0] - 1, active[1]], ArrowDown: () => [active[0] + 1, active[1]],
    ArrowLeft: () => [active[0], active[1] - 1], ArrowRight: () => [active[0], active[1] + 1],
    PageUp: () => [active[0] - 15, active[1]], PageDown: () => [active[0] + 15, active[1]],
    Home: () => [active[0], 0], End: () => [active[0], shown.length - 1],
  };

  table.addEventListener("keydown", (event) => {
    const command = event.ctrlKey || event.metaKey;
    const key = event.key;
    if (command && key.toLowerCase() === "s") {
      event.preventDefault();
      commit();
      save();
    } else if (editor) {
      if (key === "Escape" || key === "Enter" || key === "Tab") {
        event.preventDefault();
        commit(key !== "Escape");
        if (key === "Enter") select([active[0] + (event.shiftKey ? -1 : 1), active[1]]);
        else if (key === "Tab") select([active[0], active[1] + (event.shiftKey ? -1 : 1)]);
        else select(active);
      }
    } else if (command && "zyda".includes(key.toLowerCase())) {
      event.preventDefault();
      if (key.toLowerCase() === "y" || (key.toLowerCase() === "z" && event.shiftKey)) step(undone, done, "to");
      else if (key.toLowerCase() === "z") step(done, undone, "from");
      else if (key.toLowerCase() === "d") fill();
      else {
        active = [0, 0];
        anchor = [rows.length - 1, shown.length - 1];
        select(active, { extend: true });
      }
    } else if (command && key === "Home") {
      event.preventDefault();
      select([0, 0], { extend: event.shiftKey });
    } else if (command && key === "End") {
      event.preventDefault();
      select([rows.length - 1, shown.length - 1], { extend: event.shiftKey });
    } else if (key in MOVES) {
      event.preventDefault();
      select(MOVES[key](), { extend: event.shiftKey });
    } else if (key === "Enter" || key === "F2") {
      event.preventDefault();
      edit();
    } else if (key === "Delete" || key === "Backspace") {
      event.preventDefault();
      write(selected(() => ""));
    } else if (key.length === 1 && !command && !event.altKey) {
      event.preventDefault();
      event.stopPropagation(); // letters are no shortcuts here
      edit(key);
    }
  });

  const placeOf = (target) => {
    const box = target.closest?.("tbody td");
    return box && table.contains(box) ? [rows.indexOf(box.parentElement), shown.indexOf(box.cellIndex - 1)] : null;
  };
  table.addEventListener("mousedown", (event) => {
    const place = placeOf(event.target);
    if (!place || event.target === editor || event.button !== 0) return;
    event.preventDefault();
    commit();
    select(place, { extend: event.shiftKey });
    dragging = true;
  });
  table.addEventListener("mouseover", (event) => {
    const place = dragging && placeOf(event.target);
    if (place) select(place, { extend: true });
  });
  document.addEventListener("mouseup", () => (dragging = false));
  table.addEventListener("dblclick", (event) => placeOf(event.target) && !editor && edit());
  let tapped = null;
  table.addEventListener("click", (event) => {
    // On a screen that is touched there is no double click: the second touch of a cell edits it.
    const place = placeOf(event.target);
    if (!place || event.target === editor) return;
    if (event.pointerType === "touch" && tapped === event.target.closest("td") && !editor) edit();
    tapped = event.target.closest("td");
  });

  // --- clipboard -----------------------------------------------------------------------------------------------------

  document.addEventListener("copy", (event) => {
    if (editor || !table.contains(document.activeElement)) return;
    const { top, bottom, left, right } = span();
    const text = [];
    for (let r = top; r <= bottom; r++) text.push(shown.slice(left, right + 1).map((k) => quoted(values[r][k])).join("\t"));
    event.clipboardData.setData("text/plain", text.join("\n"));
    event.preventDefault();
  });
  document.addEventListener("cut", (event) => {
    if (editor || !table.contains(document.activeElement)) return;
    document.dispatchEvent(new ClipboardEvent("copy", { clipboardData: event.clipboardData, cancelable: true }));
    event.preventDefault();
    write(selected(() => ""));
  });
  document.addEventListener("paste", (event) => {
    if (editor || !table.contains(document.activeElement)) return;
    event.preventDefault();
    const block = lines(event.clipboardData.getData("text/plain"));
    const { top, left } = span();
    if (block.length === 1 && block[0].length === 1) return write(selected((r, k) => read(columns[k], block[0][0])));
    const width = Math.max(...block.map((row) => row.length));
    if (top + block.length > rows.length || left + width > shown.length) return tell(words.tooLarge);
    write(block.flatMap((row, i) => row.map((text, j) => [top + i, shown[left + j], read(columns[shown[left + j]], text)])));
    anchor = [top, left];
    active = [top + block.length - 1, left + width - 1];
    select(active, { extend: true });
  });

  // --- saving --------------------------------------------------------------------------------------------------------

  async function save() {
    const wrong = invalid().filter(([r, k]) => !refused.has(`${r} ${k}`));
    if (wrong.length) {
      reveal(...wrong[0]);
      return tell(counted(words.oneInvalid, words.invalid, wrong.length));
    }
    const changes = {};
    const sent = changed().map(([r, k]) => [r, k, values[r][k]]);
    if (!sent.length) return;
    for (const [r, k, value] of sent) (changes[rows[r].dataset.id] ??= {})[columns[k].key] = [stored[r][k], value];
    tell(words.saving);
    at("save").disabled = true;
    try {
      const answer = await fetch(table.dataset.action, {
        method: "POST", headers: { Accept: "application/json" }, body: new URLSearchParams({ changes: JSON.stringify(changes) }),
      });
      if (answer.ok) {
        for (const [r, k, value] of sent) {
          stored[r][k] = value;
          refused.delete(`${r} ${k}`);
          paint(r, k);
        }
        back();
        tell(words.saved);
        return;
      }
      const { faults } = answer.status === 409 ? await answer.json() : {};
      if (!faults) throw new Error(answer.statusText);
      for (const [id, fields] of Object.entries(faults)) {
        const r = rows.findIndex((row) => row.dataset.id === id);
        for (const [key, text] of Object.entries(fields)) {
          const k = columns.findIndex((column) => column.key === key);
          refused.set(`${r} ${k}`, text);
          paint(r, k);
        }
      }
      const [first] = invalid();
      if (first) reveal(...first);
      tell();
    } catch {
      tell(words.failed);
      at("save").disabled = false;
    }
  }

  /** Whoever pressed a button works on in the table. */
  function back() {
    if (document.activeElement === document.body || bar.contains(document.activeElement)) cell(...active).focus({ preventScroll: true });
  }

  function reveal(r, k) {
    if (!shown.includes(k)) {
      at("section").value = "";
      filter();
    }
    select([r, shown.indexOf(k)]);
  }

  function filter() {
    commit();
    const section = at("section").value;
    cell(...active).tabIndex = -1;
    shown = columns.flatMap((column, k) => (section === "" || column.section === Number(section) ? [k] : []));
    const visible = new Set(shown);
    for (const row of [table.tHead.rows[1], ...rows]) columns.forEach((_, k) => (row.cells[k + 1].hidden = !visible.has(k)));
    [...table.tHead.rows[0].cells].forEach((box, i) => i > 0 && (box.hidden = section !== "" && i - 1 !== Number(section)));
    active = anchor = [0, 0];
    select([0, 0], { focus: false });
  }

  table.setAttribute("role", "grid");
  table.setAttribute("aria-multiselectable", "true");
  table.setAttribute("aria-labelledby", "sheet-title");
  document.querySelector("h1").id = "sheet-title";
  table.parentElement.removeAttribute("tabindex");
  for (const row of rows) for (const box of row.querySelectorAll("td")) box.tabIndex = -1;
  at("section").addEventListener("change", filter);
  at("undo").addEventListener("click", () => step(done, undone, "from"));
  at("redo").addEventListener("click", () => step(undone, done, "to"));
  at("fill").addEventListener("click", () => (fill(), back()));
  at("save").addEventListener("click", save);
  window.addEventListener("beforeunload", (event) => {
    if (!changed().length) return;
    event.preventDefault();
    event.returnValue = words.leave;
  });
  select([0, 0], { focus: false });
}
