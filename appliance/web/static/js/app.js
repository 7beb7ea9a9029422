// What every page gains with scripts: copying, menus that close, search as one types, live job states.
const root = document.documentElement;
root.classList.add("js");

const words = JSON.parse(document.getElementById("words")?.textContent ?? "{}");

/** Show a short message at the foot of the page; screen readers hear it. */
export function toast(text) {
  document.querySelector(".toast")?.remove();
  const box = document.createElement("div");
  box.className = "toast";
  box.setAttribute("role", "status");
  box.textContent = text;
  document.body.append(box);
  setTimeout(() => box.remove(), 2500);
}

/** Put text on the clipboard, also where the modern interface is missing. */
async function copy(text) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) {
    try {
      await copy(button.dataset.copy);
      toast(words.copied ?? "✓");
    } catch {
      toast(words.notCopied ?? "✗");
    }
  }
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    const menu = document.querySelector("details.menu[open]");
    if (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  }
  if (event.key === "/" && !event.ctrlKey && !event.metaKey && !/^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName)) {
    const field = document.querySelector("main input[type=search]") ?? document.querySelector(".header-search input");
    if (field) {
      event.preventDefault();
      field.focus();
      field.select();
    }
  }
});

/** Moments are sent in UTC; show them in the reader's time zone, and their day and time where only "3 hours ago" is written. */
const clock = new Intl.DateTimeFormat(root.lang === "de" ? "de-DE" : "en-GB", { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "short" });
function localise(part) {
  for (const time of [...(part.matches?.("time[datetime]") ? [part] : []), ...part.querySelectorAll("time[datetime]")]) {
    const moment = new Date(time.dateTime);
    if (Number.isNaN(moment.getTime())) continue;
    if ("local" in time.dataset) time.textContent = clock.format(moment);
    else if (time.title) time.title = clock.format(moment);
    delete time.dataset.local;
  }
}
localise(document);
new MutationObserver((changes) => {
  for (const { addedNodes } of changes) for (const node of addedNodes) if (node.nodeType === Node.ELEMENT_NODE) localise(node);
}).observe(document.body, { childList: true, subtree: true });

/** The shortcuts: "?" shows them, j and k go through a list. */
const hits = () => [...document.querySelectorAll("main .hit h3 a, main .resource h3 a, main .notices a")].filter((one) => one.offsetParent);
function step(by) {
  const all = hits();
  const now = all.findIndex((one) => one === document.activeElement || one.closest("li, .hit, article")?.contains(document.activeElement));
  const next = all[now < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(now + by, 0), all.length - 1)];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}
const help = document.getElementById("shortcuts");
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, textarea, select, [contenteditable], [role=grid], dialog[open]");
  if (typing || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.key === "?") help?.showModal();
  else if (event.key === "j") step(1);
  else if (event.key === "k") step(-1);
  else return;
  event.preventDefault();
});

// On small screens a row of tabs is wider than the screen: bring the present one into view.
for (const tab of document.querySelectorAll(".tabs [aria-current], .admin-nav [aria-current]")) {
  const row = tab.parentElement;
  if (row.scrollWidth > row.clientWidth) row.scrollLeft += tab.getBoundingClientRect().left - row.getBoundingClientRect().left - (row.clientWidth - tab.offsetWidth) / 2;
}

// The message after a change is said once, not again after a reload.
const here = new URL(location.href);
if (here.searchParams.has("done")) {
  here.searchParams.delete("done");
  history.replaceState(history.state, "", here);
}

/** A search form whose results follow what one types; the address always holds the state of the filters. */
function live(form) {
  const results = document.querySelector(form.dataset.live);
  const facets = document.getElementById("facets");
  let timer = 0;
  let running = null;

  async function run() {
    const address = new URL(form.action);
    for (const [name, value] of new FormData(form)) {
      if (value !== "") address.searchParams.append(name, value);
    }
    running?.abort();
    running = new AbortController();
    results.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(address, { headers: { "X-Fragment": "results" }, signal: running.signal });
      if (!answer.ok) throw new Error(answer.statusText);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      results.replaceChildren(...page.querySelector("#results").childNodes);
      document.dispatchEvent(new Event("results-changed"));
      const opened = new Set([...facets.querySelectorAll("details[open] > summary")].map((one) => one.textContent));
      const focused = document.activeElement?.name ? [document.activeElement.name, document.activeElement.value] : null;
      if (!facets.contains(document.activeElement) || document.activeElement.type === "checkbox") {
        facets.replaceChildren(...page.querySelector("#facets").childNodes);
        for (const box of facets.querySelectorAll("details")) {
          if (opened.has(box.querySelector("summary").textContent)) box.open = true;
        }
        if (focused) {
          for (const box of facets.querySelectorAll("input[type=checkbox]")) {
            if (box.name === focused[0] && box.value === focused[1]) box.focus();
          }
        }
      }
      history.replaceState(history.state, "", address);
    } catch (error) {
      if (error.name === "AbortError") return;
      form.submit();
    } finally {
      results.removeAttribute("aria-busy");
    }
  }

  const later = (wait) => {
    clearTimeout(timer);
    timer = setTimeout(run, wait);
  };
  // Boxes that select datasets stand among the results but belong to another form.
  const ours = (event) => event.target.form === form;
  form.addEventListener("input", (event) => ours(event) && later(event.target.type === "checkbox" ? 0 : 200));
  form.addEventListener("change", (event) => ours(event) && later(0));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    later(0);
  });
}
for (const form of document.querySelectorAll("form[data-live]")) live(form);
if (matchMedia("(max-width: 64rem)").matches) document.querySelector(".facet-box")?.removeAttribute("open");

/** Ask for a part of the page again until the server says there is nothing more to tell. */
function poll(box) {
  let wait = 1500;
  async function again() {
    if (document.hidden) return void setTimeout(again, wait);
    try {
      const answer = await fetch(box.dataset.poll);
      const text = await answer.text();
      if (answer.ok && text.trim() === "") return void location.reload();
      if (answer.ok) box.replaceChildren(...new DOMParser().parseFromString(text, "text/html").body.childNodes);
    } catch {
      // The network is away; ask again later.
    }
    if (box.querySelector(".dot-bad") && !box.querySelector(".dot-run, .dot-warn")) return;
    wait = Math.min(wait * 1.3, 15000);
    setTimeout(again, wait);
  }
  setTimeout(again, wait);
}
for (const box of document.querySelectorAll("[data-poll]")) poll(box);

// Selecting a menu entry that changes a list at once.
for (const select of document.querySelectorAll("select[data-submit]")) {
  select.addEventListener("change", () => select.form.requestSubmit());
}

/** Suggest users while one types their name. */
for (const list of document.querySelectorAll("datalist[data-complete]")) {
  const field = document.querySelector(`input[list="${list.id}"]`);
  let timer = 0;
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const answer = await fetch(`${list.dataset.complete}?q=${encodeURIComponent(field.value)}`, { headers: { Accept: "application/json" } });
      if (!answer.ok) return;
      const { users } = await answer.json();
      list.replaceChildren(
        ...users.map((user) => {
          const option = document.createElement("option");
          option.value = user.name;
          option.label = user.fullname || user.name;
          return option;
        }),
      );
    }, 150);
  });
}

/** The check list of the page "Connect": each line is tried from this browser. */
async function checkConnection(list) {
  const mark = (name, good) => {
    const line = list.querySelector(`[data-check="${name}"]`);
    const spot = line.firstElementChild;
    spot.className = good ? "ok" : "not-ok";
    const use = spot.querySelector("use");
    use.setAttribute("href", use.getAttribute("href").replace(/#.*/, good ? "#check-circle" : "#error"));
    line.dataset.result = good ? "ok" : "bad";
  };
  mark("secure", location.protocol === "https:"); // no script can see whether the certificate is trusted or an exception was made
  mark("name", location.origin === list.dataset.host);
  try {
    const answer = await fetch("/api/3/action/status_show");
    mark("api", answer.ok && (await answer.json()).success === true);
  } catch {
    mark("api", false);
  }
  try {
    const answer = await fetch("/robots.txt", { cache: "no-store" });
    mark("range", (await answer.text()) === "User-agent: *\nDisallow: /\n");
  } catch {
    mark("range", false);
  }
}
const checks = document.getElementById("connection-checks");
if (checks) checkConnection(checks);

/** Parts of a page that take the server a moment come afterwards. */
for (const box of document.querySelectorAll("[data-load]")) {
  fetch(box.dataset.load, { headers: { "X-Fragment": "part" } })
    .then(async (answer) => {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      box.replaceChildren(...(answer.ok ? page.body.childNodes : page.querySelectorAll("main > * > *"))); // an error is a whole page
    });
}

/** Lists that show what is going on look again every few seconds, unless somebody is busy in them. */
for (const box of document.querySelectorAll("[data-refresh]")) {
  setInterval(async () => {
    if (document.hidden || box.contains(document.activeElement) || box.querySelector("details[open]")) return;
    const answer = await fetch(box.dataset.refresh, { headers: { "X-Fragment": "rows" } });
    if (answer.ok) box.replaceChildren(...new DOMParser().parseFromString(await answer.text(), "text/html").body.childNodes);
  }, 4000);
}
