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
addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details")) details.open = true;
});
