/* A file dropped on a field is the field's file. Without a script the field is used as it is. */
for (const place of document.querySelectorAll("[data-drops-into]")) {
  const field = document.getElementById(place.dataset.dropsInto);
  place.querySelector(".dropping-hint").hidden = false;
  for (const name of ["dragenter", "dragover"]) place.addEventListener(name, (event) => { event.preventDefault(); place.dataset.over = ""; });
  for (const name of ["dragleave", "drop"]) place.addEventListener(name, () => delete place.dataset.over);
  place.addEventListener("drop", (event) => { event.preventDefault(); field.files = event.dataTransfer.files; });
}
