// Supplementary metadata are checked against the schema's own rules (a number, ">0") before anything is sent.

const COMPARED = { ">": (a, b) => a > b, ">=": (a, b) => a >= b, "<": (a, b) => a < b, "<=": (a, b) => a <= b };

/** Does the value of a field fit its schema? Empty fields do. */
function fits(field) {
  const text = field.value.trim().replace(",", ".");
  if (text === "") return true;
  const pattern = field.dataset.number === "integer" ? /^[+-]?\d+$/ : /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
  if (!pattern.test(text)) return false;
  const [, sign, limit] = /^([<>]=?)(.+)$/.exec(field.dataset.rule ?? "") ?? [];
  return !sign || COMPARED[sign](Number(text), Number(limit));
}

/** Show or hide the message beside a field; → does its value fit? */
function judge(field) {
  const good = fits(field);
  document.getElementById(`${field.id}-wrong`).hidden = good;
  const refused = document.getElementById(`${field.id}-error`);
  if (refused) refused.hidden = true; // what the server said was about the value before
  if (good) field.removeAttribute("aria-invalid");
  else field.setAttribute("aria-invalid", "true");
  return good;
}

/** Do all values of a form fit? Those that do not are marked. */
export function allFit(form) {
  return [...form.querySelectorAll("[data-number]")].map(judge).every(Boolean);
}

/** What a form says, without what was left empty; "0,5" is how many people write 0.5. */
export function values(form) {
  const numbers = new Set([...form.querySelectorAll("[data-number=float]")].map((field) => field.name));
  return Object.fromEntries(
    [...new FormData(form)].filter(([, value]) => value.trim() !== "").map(([name, value]) => [name, numbers.has(name) ? value.replace(",", ".") : value]),
  );
}

const fields = [...document.querySelectorAll("[data-number]")];
for (const field of fields) {
  field.addEventListener("change", () => judge(field));
  field.addEventListener("input", () => field.hasAttribute("aria-invalid") && fits(field) && judge(field));
}
for (const form of new Set(fields.map((field) => field.form))) {
  form.addEventListener("submit", (event) => {
    if (allFit(form)) return;
    event.preventDefault();
    form.querySelector("[data-number][aria-invalid]").focus();
  });
}
