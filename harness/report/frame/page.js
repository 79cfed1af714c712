"use strict";
(() => {
  // Without this script everything can be read; with it, links open their cell and the filters appear.
  const cells = [...document.querySelectorAll("#cells details.cell")];
  const open = () => {
    const target = location.hash && document.getElementById(location.hash.slice(1));
    const cell = target && target.closest("details.cell");
    if (cell) { cell.hidden = false; cell.open = true; cell.scrollIntoView(); cell.querySelector("summary").focus({ preventScroll: true }); }
  };
  addEventListener("hashchange", open);
  document.addEventListener("click", event => {
    // a second click on the link of a cell that was closed by hand: the address does not change, the cell opens again
    const link = event.target.closest && event.target.closest('a[href^="#c"]');
    if (link && link.hash === location.hash) setTimeout(open);
  });

  const form = document.getElementById("filter");
  if (form) {
    const squares = new Map();
    for (const link of document.querySelectorAll('#grid td a[href^="#c"]')) squares.set(link.hash.slice(1), link.closest("td"));
    const known = cells.map(cell => [cell, cell.dataset.c.split(" "), squares.get(cell.querySelector("[id]").id)]);
    const apply = () => {
      const wanted = ["verdict", "build", "product"].map(name => form.elements[name].value);
      const missed = wanted[0] === "missed";
      let shown = 0;
      for (const [cell, has, square] of known) {
        const fits = wanted.every((value, at) => value === "" || (at === 0 && missed ? "fhbn".includes(has[0]) : value === has[at]));
        cell.hidden = !fits;
        if (square) square.classList.toggle("dim", !fits);
        shown += fits;
      }
      for (const group of document.querySelectorAll("#cells section")) group.hidden = !group.querySelector("details.cell:not([hidden])");
      form.elements.shown.value = shown === cells.length ? `all ${cells.length} cells` : `${shown} of ${cells.length} cells`;
    };
    form.addEventListener("input", apply);
    form.addEventListener("submit", event => event.preventDefault());
    form.addEventListener("reset", () => setTimeout(apply));
    const spread = to => () => { for (const cell of cells) if (!cell.hidden) cell.open = to; };
    form.elements.expand.addEventListener("click", spread(true));
    form.elements.collapse.addEventListener("click", spread(false));
    form.hidden = false;
    apply();
  }
  open();
})();
