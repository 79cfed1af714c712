// The page comes to life: without what follows everything that matters can be read all the same.
const ready = () => { document.documentElement.dataset.ready = "1"; performance.mark("ready"); };
const begin = async () => {
  if (!byId("sheet")) return ready();  // nothing was planned: there is nothing to unfold
  if (!byId("grid-island") || !stage || typeof DecompressionStream === "undefined") return;
  const island = await unfold("grid-island");
  all = Object.assign(island, { known: new Set(island.known) });
  const form = byId("filter"), rows = new Rows(byId("sheet"), "Cells by product, scenario and build");
  let wanted = {}, found = [];

  const named = name => all.lists[name].map((value, at) => [at, name === "build" ? value[1] : value]).filter(([, word]) => word);
  for (const name of FIELDS.slice(1)) if (form.elements[name] && named(name).length < 2) form.elements[name].closest("label").hidden = true;
  // thousands of products are thousands of choices: they are made when the grid stands, or as soon as somebody reaches for one
  let filled = false;
  const fillAll = () => {
    if (filled) return;
    filled = true;
    const fill = (name, options) => form.elements[name] && form.elements[name].append(...options.map(([value, word]) => el("option", { value }, word)));
    const occurs = new Set(all.verdict);
    fill("verdict", [["missed", "in the way"], ...Object.entries(WORDS).filter(([letter]) => occurs.has(letter)), ...(all.known.size ? [["known", "known issues"]] : [])]);
    for (const name of FIELDS.slice(1)) fill(name, named(name));
  };
  for (const reached of ["focusin", "pointerdown"]) form.addEventListener(reached, fillAll, { once: true });

  const show = () => {
    found = fitting(wanted);
    (wanted.view === "list" ? showList : showGrid)(rows, found, wanted, change);
    const total = all.verdict.length;
    form.elements.shown.value = found.length === total ? `${counted(total)} cells` : `${counted(found.length)} of ${counted(total)} cells`;
    for (const label of form.querySelectorAll("[data-view]")) label.hidden = label.dataset.view !== (wanted.view || "grid");
  };
  const address = () => {
    const said = new URLSearchParams(Object.entries(wanted).filter(([, value]) => value));
    return String(said) ? `#find?${said}` : "#grid";
  };
  const change = changed => {
    wanted = { ...wanted, ...changed };
    history.replaceState(null, "", address());
    show();
  };
  const asked = () => Object.fromEntries(["q", ...FIELDS, "order", "view"].map(name => [name, form.elements[name]?.value || ""]));
  form.addEventListener("input", () => change(asked()));
  form.addEventListener("submit", event => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(() => { wanted = {}; change(asked()); }));

  const placeOf = async text => {
    if (/^c\d+$/.test(text)) return Number(text.slice(1)) - 1;
    if (text.startsWith("cell:")) return (await wholeStories()).cell.indexOf(decodeURIComponent(text.slice(5)));
    return -1;
  };
  const follow = async () => {
    const hash = location.hash.slice(1);
    if (hash.startsWith("find?")) {
      fillAll();
      wanted = Object.fromEntries(new URLSearchParams(hash.slice(5)));
      for (const [name, value] of Object.entries(wanted)) if (form.elements[name]) form.elements[name].value = value;
      show();
      byId("grid").scrollIntoView();
      return;
    }
    const cells = await Promise.all(hash.startsWith("cell:") ? [placeOf(hash)] : hash.split("+").slice(0, 2).map(placeOf));
    if (cells.length && cells.every(at => at >= 0 && at < all.verdict.length)) await openCells(cells, wanted.view === "list" ? sorted(found, wanted.sort, wanted.down) : found);
    else if (stage.open) stage.close();
  };
  stage.addEventListener("close", () => {
    turn++;
    if (!/^#(find|grid)/.test(location.hash)) history.replaceState(null, "", address());
    stage.replaceChildren();
    const back = cameFrom && [...document.links].find(link => link.getAttribute("href") === cameFrom);
    if (back) back.focus({ preventScroll: true });
  });
  stage.addEventListener("click", event => { if (event.target === stage) stage.close(); });
  addEventListener("hashchange", follow);
  document.addEventListener("click", event => {
    // the link of a cell that was closed: the address does not change, the cell opens again
    const link = event.target.closest?.('a[href^="#c"]');
    if (link && link.hash === location.hash) setTimeout(follow);
  });
  // on paper the grid has no window to look through: as many rows as paper can bear
  addEventListener("beforeprint", () => rows.draw(400));
  addEventListener("afterprint", () => { rows.first = -1; rows.draw(); });

  byId("plain")?.remove();
  byId("cells")?.remove();
  form.hidden = byId("sheet").hidden = false;
  show();
  await follow();
  ready();
  (globalThis.requestIdleCallback || setTimeout)(fillAll);
};
begin();
