"use strict";
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  heads.forEach((head, at) => {
    head.querySelector("button").addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") !== "descending";
      const sign = down ? -1 : 1;
      const key = (row) => row.cells[at].dataset.v;
      const rows = [...body.rows].sort((a, b) => {
        const x = key(a), y = key(b);
        if (x === "" || y === "") return (x === "") - (y === "");
        const p = Number(x), q = Number(y);
        if (!Number.isNaN(p) && !Number.isNaN(q)) return sign * (p - q);
        return sign * x.localeCompare(y);
      });
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      body.append(...rows);
    });
  });
}
for (const box of document.querySelectorAll(".panels")) {
  const choose = box.querySelector(".choose");
  const select = choose.querySelector("select");
  const panels = [...box.querySelectorAll(".panel")];
  const show = () => {
    for (const panel of panels) panel.hidden = select.value !== "" && panel.id !== select.value;
  };
  choose.hidden = false;
  if (panels.length) select.value = panels[0].id;
  select.addEventListener("change", show);
  show();
}
