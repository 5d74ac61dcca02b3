/* After a part of the page was swapped, whoever uses the keyboard goes on where they were. Nothing needs this script. */
let last = "";

document.body.addEventListener("htmx:beforeRequest", (event) => {
  if (!event.detail.elt.contains(document.activeElement)) return;  // what reloads itself moves nobody
  const block = event.detail.elt.closest(".block, .composer, #says, #may, li[id]");
  if (block?.id) last = block.id;
});

document.body.addEventListener("htmx:afterSettle", () => {
  if (document.activeElement && document.activeElement !== document.body) return;
  const place = document.getElementById(last);
  place?.querySelector("[autofocus], [data-edits], a, button")?.focus({ preventScroll: true });
});

document.body.addEventListener("keydown", (event) => {
  if (event.key === "Escape") event.target.closest?.(".in-place")?.querySelector("[data-cancels]")?.click();
});
