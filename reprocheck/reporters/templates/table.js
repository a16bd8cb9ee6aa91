"use strict";
// Sorts and searches the table of runs; without it, the table is whole and in its first order.
(() => {
  const table = document.getElementById("runs");
  const search = document.getElementById("search");
  if (!table || !search) return;
  const body = table.tBodies[0];
  const rows = Array.from(body.rows);
  const count = document.getElementById("shown");
  const texts = rows.map((row) => row.textContent.toLowerCase());
  search.closest("label").hidden = false;

  search.addEventListener("input", () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, i) => {
      row.hidden = !words.every((word) => texts[i].includes(word));
      shown += row.hidden ? 0 : 1;
    });
    count.textContent = words.length ? `${shown} of ${rows.length} match` : "";
  });

  Array.from(table.tHead.rows[0].cells).forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const rising = head.getAttribute("aria-sort") !== "ascending";
      const keyed = rows.map((row) => {
        const cell = row.cells[column];
        return [cell.dataset.key ?? cell.textContent.trim().toLowerCase(), row];
      });
      keyed.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0) * (rising ? 1 : -1));
      body.replaceChildren(...keyed.map(([, row]) => row));
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", rising ? "ascending" : "descending");
    });
  });
})();
