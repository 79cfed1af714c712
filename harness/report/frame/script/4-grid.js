// The grid and the list, over the same filters.
const square = (at, row, column) => {
  if (at < 0) return el("td", { class: "none" }, el("span", {}, "–", el("span", { class: "hear" }, "not planned or not shown")));
  const letter = all.verdict[at], known = all.known.has(at);
  const beside = known ? "known" : said(all.seconds[at]);
  return el("td", { class: known ? `${letter} k` : letter },
    el("a", { href: `#c${at + 1}`, tabindex: "-1", "data-place": `${row},${column}` }, WORDS[letter], " ", beside && el("small", {}, beside)));
};

const showGrid = (rows, found, wanted) => {
  const { lists } = all, columns = lists.build.map((_, at) => at).filter(at => !wanted.build || at === Number(wanted.build));
  const list = storyRows(found, wanted.order);
  rows.show({
    count: list.length, name: `grid${columns.length > 8 ? " many" : ""}`, wide: columns.length + 1,
    head: () => el("thead", {}, el("tr", { "aria-rowindex": 1 }, el("th", { scope: "col" }, "Scenario"), columns.map(at => {
      const [number, name] = lists.build[at], cut = name.lastIndexOf(" ");
      return el("th", { scope: "col" }, el("span", {}, name.slice(0, cut)), name.slice(cut), " ", el("small", {}, number));
    }))),
    row: at => {
      const row = list[at];
      if (row.heading) return el("tr", { class: "product" }, el("th", { scope: "rowgroup", colspan: columns.length + 1 }, lists.product[row.product], " ", el("small", {}, lists.kind[row.product])));
      const cell = cellAt(row.first);
      return el("tr", {},
        el("th", { scope: "row" }, row.named && el("small", { class: "of" }, `${cell.product} `), cell.scenario, cell.leg && el("small", {}, ` ${cell.leg}`)),
        columns.map((build, column) => square(row.cells[build], at, column)));
    },
  });
};

const COLUMNS = [["verdict", "Verdict"], ["product", "Product"], ["scenario", "Scenario"], ["build", "Build"], ["seconds", "Time"], ["machine", "Machine"], ["reason", "Reason"]];
const showList = (rows, found, wanted, ask) => {
  const list = sorted(found, wanted.sort, wanted.down);
  rows.show({
    count: list.length, name: "list", wide: COLUMNS.length,
    head: () => el("thead", {}, el("tr", { "aria-rowindex": 1 }, COLUMNS.map(([name, title]) => {
      const is = wanted.sort === name;
      const button = el("button", { type: "button" }, title, el("span", { "aria-hidden": "true" }, is ? (wanted.down ? " ▼" : " ▲") : " ↕"));
      button.addEventListener("click", () => ask({ sort: name, down: is && !wanted.down ? "1" : "" }));
      return el("th", { scope: "col", class: `by-${name}`, "aria-sort": is ? (wanted.down ? "descending" : "ascending") : "none" }, button);
    }))),
    row: at => {
      const cell = cellAt(list[at]);
      return el("tr", {},
        el("td", {}, mark(cell)),
        el("td", {}, cell.product),
        el("th", { scope: "row" }, el("a", { href: `#c${cell.at + 1}`, tabindex: "-1", "data-place": `${at},0` }, cell.story)),
        el("td", {}, cell.buildName), el("td", { class: "r" }, said(cell.seconds)), el("td", {}, cell.machine),
        el("td", { class: "reason-line" }, cell.reason));
    },
  });
};
