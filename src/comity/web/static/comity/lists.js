/* Keys for lists: j and k or arrows move, x ticks, Enter opens, / searches, ? shows the keys. A list works without. */
const list = document.querySelector("[data-list]");
const rows = list ? [...list.querySelectorAll("tbody tr")] : [];
const keys = document.querySelector("[data-keys]");
const bar = document.querySelector("[data-selection]");
const boxes = rows.map((row) => row.querySelector('input[type="checkbox"]')).filter(Boolean);

/* ---------------------------------------------------------------- which row */

let here = -1;

function go(to) {
  if (!rows.length) return;
  rows[here]?.classList.remove("here");
  here = Math.max(0, Math.min(rows.length - 1, to));
  rows[here].classList.add("here");
  linkOf(rows[here])?.focus();  // says who it is to whoever listens
  rows[here].scrollIntoView({ block: "nearest" });
}

const linkOf = (row) => row?.querySelector("[data-row-link], td a");

for (const [number, row] of rows.entries()) {
  row.addEventListener("focusin", () => {
    rows[here]?.classList.remove("here");
    here = number;
    row.classList.add("here");
  });
}

/* ---------------------------------------------------------------- who is chosen */

function count() {
  if (!bar) return;
  const all = bar.querySelector('input[name="all"]').checked;
  const many = boxes.filter((box) => box.checked).length;
  const told = bar.querySelector("[data-picked]");
  told.textContent = all || !many ? "" : told.dataset.says.replace("{n}", many);
  bar.classList.toggle("idle", !all && !many);
}

list?.addEventListener("change", () => setTimeout(count));  // after the box above all has ticked the others
count();

function tick(extend) {
  const box = rows[here]?.querySelector('input[type="checkbox"]');
  if (!box) return;
  box.checked = !box.checked;
  box.dispatchEvent(new Event("change", { bubbles: true }));
  if (extend) go(here + 1);
}

/* ---------------------------------------------------------------- keys */

const does = {
  j: () => go(here + 1),
  k: () => go(here - 1),
  ArrowDown: () => go(here + 1),
  ArrowUp: () => go(here - 1),
  x: () => tick(false),
  X: () => tick(true),
  "/": () => document.getElementById("seek")?.focus(),
  "?": () => { if (keys) { keys.open = !keys.open; keys.querySelector("summary").focus(); } },
};

function typing(target) {
  return target.closest?.("input:not([type=checkbox]), select, textarea, dialog, [contenteditable]");
}

document.addEventListener("keydown", (event) => {
  const arrow = event.key.startsWith("Arrow");
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  if (arrow && !list?.contains(event.target)) return;  // elsewhere arrows scroll the page
  if (does[event.key]) {
    event.preventDefault();
    does[event.key]();
  }
});
