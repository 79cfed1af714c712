// The place where a cell is told, alone or beside another one.
const stage = byId("stage");
const beside = at => {
  const { columns } = all, same = [];
  for (let other = 0; other < all.verdict.length; other++) {
    if (other !== at && columns.product[other] === columns.product[at] && columns.scenario[other] === columns.scenario[at] && columns.leg[other] === columns.leg[at]) same.push(other);
  }
  return same.sort((one, two) => columns.build[one] - columns.build[two]);
};

const single = async (at, around) => {
  const cell = await tell(at), others = beside(at), place = around.indexOf(at);
  const choice = el("select", {}, el("option", { value: "" }, "another build…"), others.map(other => {
    const one = cellAt(other);
    return el("option", { value: other }, `${one.buildName}: ${one.verdict}`);
  }));
  choice.addEventListener("change", () => { if (choice.value) location.hash = `c${at + 1}+c${Number(choice.value) + 1}`; });
  // the nearest build where it came out otherwise answers most questions
  const near = others.filter(other => MISSED.includes(all.verdict[other]) !== MISSED.includes(cell.letter))
    .sort((one, two) => Math.abs(all.columns.build[one] - all.columns.build[at]) - Math.abs(all.columns.build[two] - all.columns.build[at]))[0];
  const step = (to, word) => to === undefined ? "" : el("a", { href: `#c${to + 1}`, class: "button" }, word);
  return [
    el("p", { class: "kicker" }, `${cell.product} `, el("small", {}, cell.kind)),
    el("h2", { id: "stage-title", tabindex: -1 }, mark(cell), ` ${cell.story} on ${cell.buildName} `, el("small", {}, [cell.build, said(cell.seconds)].filter(Boolean).join(", "))),
    el("p", { class: "tools" },
      place > 0 && step(around[place - 1], "Previous"), place >= 0 && step(around[place + 1], "Next"),
      near !== undefined && el("a", { href: `#c${at + 1}+c${near + 1}`, class: "button" }, `Compare with ${cellAt(near).buildName}, ${cellAt(near).verdict}`),
      others.length > 0 && el("label", {}, "Compare with ", choice),
      el("a", { href: `#cell:${encodeURIComponent(cell.id)}` }, "Link to this cell")),
    storyParts(cell),
  ];
};

// two times are never the same: only what is half as long again is worth a look
const differs = (name, first, second) => {
  const times = name.startsWith("step") && [first, second].map(Number.parseFloat);
  return times && !times.some(Number.isNaN) ? Math.max(...times) > 1.5 * Math.min(...times) + 0.2 : name !== "time" && first !== second;
};

const compared = async (one, two) => {
  const pair = [await tell(one), await tell(two)];
  const longest = Math.max(1, ...pair.flatMap(cell => [cell.seconds, ...cell.steps.map(step => step.started + step.seconds)]));
  const facts = [...new Set(pair.flatMap(cell => cell.facts.map(([name]) => name)))];
  const values = [
    ["verdict", ...pair.map(cell => cell.verdict)], ["time", ...pair.map(cell => said(cell.seconds))], ["cause", ...pair.map(cell => cell.cause)], ["machine", ...pair.map(cell => cell.machine)],
    ...facts.map(name => [name, ...pair.map(cell => (cell.facts.find(fact => fact[0] === name) || [])[1] || "")]),
    ...[...new Set(pair.flatMap(cell => cell.steps.map(step => step.name)))].map(name => [`step: ${name}`, ...pair.map(cell => { const step = cell.steps.find(each => each.name === name); return step ? `${(step.seconds / 100).toFixed(2)} s` : "not taken"; })]),
  ].filter(([, first, second]) => first || second);
  // what they have in common is said once, what tells them apart heads its column
  const alike = pair[0].story === pair[1].story && pair[0].product === pair[1].product;
  const called = cell => alike ? cell.buildName : pair[0].product === pair[1].product ? `${cell.story} on ${cell.buildName}` : cell.name;
  return [
    el("p", { class: "kicker" }, pair[0].product === pair[1].product ? pair[0].product : "Two cells"),
    el("h2", { id: "stage-title", tabindex: -1 }, `${alike ? `${pair[0].story}: ` : ""}${called(pair[0])} beside ${called(pair[1])}`),
    el("div", { class: "wide", tabindex: 0, role: "region", "aria-label": "What differs" }, el("table", { class: "plain differs" },
      el("thead", {}, el("tr", {}, el("th", { scope: "col" }, el("span", { class: "hear" }, "What")), pair.map(cell => el("th", { scope: "col" }, el("a", { href: `#c${cell.at + 1}` }, called(cell)))))),
      el("tbody", {}, values.map(([name, first, second]) => el("tr", { class: differs(name, first, second) && "other" }, el("th", { scope: "row" }, name), el("td", {}, first), el("td", {}, second)))))),
    el("div", { class: "pair" }, pair.map(cell => el("section", { "aria-label": cell.name }, el("h3", {}, mark(cell), ` ${called(cell)}`), storyParts(cell, longest)))),
  ];
};

let cameFrom, turn = 0;
const openCells = async (cells, around) => {
  const mine = ++turn;
  const parts = cells.length > 1 ? await compared(...cells) : await single(cells[0], around);
  if (mine !== turn) return;  // another cell was asked for meanwhile
  const close = el("button", { type: "button", class: "close", "aria-label": "Close" }, "✕");
  close.addEventListener("click", () => stage.close());
  if (!stage.open) cameFrom = document.activeElement?.getAttribute?.("href");
  stage.className = cells.length > 1 ? "two" : "";
  stage.replaceChildren(close, el("div", { class: "told" }, parts.flat(Infinity).filter(Boolean)));
  if (!stage.open) stage.showModal();
  stage.scrollTop = 0;
  byId("stage-title").focus({ preventScroll: true });
};
