"use strict";
// Tables that sort and filter, and details that open for printing. No library, nothing from the network.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const value = (row, n) => {
    const cell = row.cells[n], text = cell.dataset.sort ?? cell.textContent.trim();
    return text !== "" && isFinite(text) ? Number(text) : text;
  };
  // what is missing goes last in both directions; numbers come before words
  const order = (a, b) =>
    typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), undefined, { numeric: true });
  table.tHead.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    const head = button.parentElement, n = head.cellIndex, down = head.ariaSort === "ascending" ? -1 : 1;
    for (const other of head.parentElement.cells) other.ariaSort = null;
    head.ariaSort = down === 1 ? "ascending" : "descending";
    const keyed = [...body.rows].map((row) => [value(row, n), row]);
    keyed.sort(([a], [b]) => (a === "" ? 1 : b === "" ? -1 : down * order(a, b)));
    body.append(...keyed.map(([, row]) => row));
  });
}
for (const input of document.querySelectorAll("input[data-filters]")) {
  const rows = [...document.getElementById(input.dataset.filters).tBodies[0].rows];
  const texts = rows.map((row) => row.textContent.toLowerCase());
  input.addEventListener("input", () => {
    const wanted = input.value.trim().toLowerCase();
    let shown = 0;
    rows.forEach((row, n) => {
      row.hidden = !texts[n].includes(wanted);
      shown += !row.hidden;
    });
    input.parentElement.querySelector("output").value = `${shown} of ${rows.length}`;
  });
}
// Photos that open large, with contrast and mirror; what stands beside the page is loaded on the first look.
const large = document.querySelectorAll("button.larger");
if (large.length) {
  const dialog = document.createElement("dialog");
  dialog.className = "large";
  dialog.innerHTML =
    '<div class="frame"><img alt=""></div><p class="words"></p><p><label>contrast <input type="range" min="50" max="300" value="100"></label>' +
    '<label>brightness <input type="range" min="50" max="300" value="100"></label>' +
    '<button type="button" data-do="mirror" aria-pressed="false">mirror</button><button type="button" data-do="close">close</button></p>';
  document.body.append(dialog);
  const image = dialog.querySelector("img"), words = dialog.querySelector(".words");
  const [contrast, brightness] = dialog.querySelectorAll("input");
  const mirror = dialog.querySelector("[data-do=mirror]");
  const look = () => {
    image.style.filter = `contrast(${contrast.value}%) brightness(${brightness.value}%)`;
    image.style.transform = mirror.ariaPressed === "true" ? "scaleX(-1)" : "";
  };
  dialog.addEventListener("input", look);
  mirror.addEventListener("click", () => {
    mirror.ariaPressed = mirror.ariaPressed === "true" ? "false" : "true";
    look();
  });
  dialog.querySelector("[data-do=close]").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  image.addEventListener("error", () => {
    words.textContent = `${image.alt}: the larger photo is not beside this page`;
  });
  for (const button of large)
    button.addEventListener("click", () => {
      const small = button.querySelector("img");
      contrast.value = brightness.value = 100;
      mirror.ariaPressed = "false";
      image.alt = words.textContent = small.alt;
      image.src = button.dataset.large;
      look();
      dialog.showModal();
    });
}
addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details")) details.open = true;
});
