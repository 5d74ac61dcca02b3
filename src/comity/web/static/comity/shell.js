/* What is quicker with a script than without: the palette, themes without a reload, menus that close. Nothing needs it. */
const palette = document.getElementById("palette");
const words = document.getElementById("palette-words");
const list = document.getElementById("palette-list");

/* ---------------------------------------------------------------- the palette */

const PAUSE = 180;  // milliseconds without a letter after which it is looked: each look opens names, and is on record

let asked = new AbortController();
let soon;
let answered = null;  // the words that the list answers

function lookSoon() {
  clearTimeout(soon);
  soon = setTimeout(look, PAUSE);
}

async function look() {
  clearTimeout(soon);
  asked.abort();
  const { signal } = asked = new AbortController();
  const said = words.value;
  const texts = await Promise.all([palette.dataset.people, palette.dataset.from].filter(Boolean).map((address) => read(address, signal)));
  if (signal.aborted) return;  // more was typed meanwhile
  list.innerHTML = texts.join("");
  if (!options().length) list.append(Object.assign(document.createElement("p"), { className: "soft", textContent: palette.dataset.nothing }));
  answered = said;
  choose(options()[0]);
}

async function read(address, signal) {
  try {
    const answer = await fetch(`${address}?q=${encodeURIComponent(words.value)}`, { headers: { "HX-Request": "true" }, signal });
    return answer.ok ? await answer.text() : "";
  } catch {
    return "";  // given up, or the server is away
  }
}

const options = () => [...list.querySelectorAll('[role="option"]')];
const chosen = () => list.querySelector('[aria-selected="true"]');

function choose(option) {
  chosen()?.removeAttribute("aria-selected");
  words.removeAttribute("aria-activedescendant");
  if (!option) return;
  option.setAttribute("aria-selected", "true");
  words.setAttribute("aria-activedescendant", option.id);
  option.scrollIntoView({ block: "nearest" });
}

function openPalette(text = "") {
  if (palette.open) return;
  for (const menu of document.querySelectorAll("details.menu[open]")) menu.open = false;
  words.value = text;
  palette.showModal();
  words.focus();
  answered = null;
  look();
}

async function movePalette(event) {
  const all = options();
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step && all.length) {
    event.preventDefault();
    choose(all[(all.indexOf(chosen()) + step + all.length) % all.length]);
  } else if (event.key === "Enter") {
    event.preventDefault();
    if (answered !== words.value) await look();  // what was chosen before is no answer to what is typed now
    if (answered === words.value) chosen()?.click();
  }
}

if (palette) {
  words.addEventListener("input", lookSoon);
  words.addEventListener("keydown", movePalette);
  palette.addEventListener("click", (event) => event.target === palette && palette.close());
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      openPalette();
    }
  });
  const seek = document.querySelector("[data-palette-opener]");
  if (seek && !seek.getAttribute("action")) {
    seek.addEventListener("submit", (event) => { event.preventDefault(); openPalette(seek.q.value); });
  }
  if (/Mac|iPhone|iPad/.test(navigator.platform)) seek?.querySelector("kbd")?.replaceChildren("⌘K");
}

/* ---------------------------------------------------------------- theme, menus, dialogs, toasts */

document.querySelector("[data-theme-choice]")?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.currentTarget;
  const sent = new FormData(form, event.submitter);
  document.documentElement.dataset.theme = sent.get("theme");
  for (const button of form.querySelectorAll("button")) button.setAttribute("aria-pressed", String(button === event.submitter));
  await fetch(form.action, { method: "POST", body: sent, redirect: "manual" });
});

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  const opener = event.target.closest("[data-opens]");
  if (opener) { event.preventDefault(); document.getElementById(opener.dataset.opens)?.showModal(); }
  if (event.target.closest("[data-closes]")) { event.preventDefault(); event.target.closest("dialog")?.close(); }
  if (event.target.matches("dialog.dialog")) event.target.close();
});

document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && event.target.closest("details.menu[open]");
  if (menu) { menu.open = false; menu.querySelector("summary").focus(); }
});

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-picks-all]")) {
    for (const box of event.target.closest("table").querySelectorAll('tbody input[type="checkbox"]')) box.checked = event.target.checked;
  }
  if (event.target.closest("[data-sends-itself]")) event.target.form?.requestSubmit();
});

const SEEN_FOR = 6000;  // milliseconds

/* An answer to htmx may carry HX-Trigger: {"toast": {"text": "Saved", "level": "success"}} */
document.body.addEventListener("toast", (event) => {
  const note = document.createElement("p");
  note.className = `note ${event.detail.level ?? "info"}`;
  note.textContent = event.detail.text;
  document.getElementById("toasts").append(note);
  setTimeout(() => note.remove(), SEEN_FOR);
});
