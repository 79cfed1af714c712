// Which cells fit what the reader asked for, and in which order they stand.
const FIELDS = ["verdict", "build", "product", "scenario", "machine", "cause"];

const fitting = wanted => {
  const { lists, columns, verdict } = all;
  const tests = [];
  if (wanted.verdict === "missed") tests.push(at => MISSED.includes(verdict[at]) && !all.known.has(at));
  else if (wanted.verdict === "known") tests.push(at => all.known.has(at));
  else if (wanted.verdict) tests.push(at => verdict[at] === wanted.verdict);
  for (const name of FIELDS.slice(1)) {
    if (!wanted[name]) continue;
    const column = columns[name], value = Number(wanted[name]);
    tests.push(at => column[at] === value);
  }
  for (const word of (wanted.q || "").toLowerCase().split(/\s+/).filter(Boolean)) {
    // each list is searched once, not each cell
    const hits = ["build", "product", "scenario", "leg", "machine", "cause", "fingerprint", "reason"].map(name =>
      [columns[name], lists[name].map(value => String(value).toLowerCase().includes(word))]);
    const letters = Object.keys(WORDS).filter(letter => WORDS[letter].includes(word)).join("");
    tests.push(at => letters.includes(verdict[at]) || hits.some(([column, found]) => found[column[at]]));
  }
  const found = [], everything = !tests.length;
  for (let at = 0; at < verdict.length; at++) if (everything || tests.every(test => test(at))) found.push(at);
  return found;
};

const ranks = {};
const rankOf = name => ranks[name] ||= (() => {
  if (name === "verdict") return [...all.verdict].map(letter => WORST.indexOf(letter));
  if (name === "seconds") return all.seconds;
  if (name === "build") return all.columns.build;
  const order = all.lists[name].map((value, at) => [String(value), at]).sort((one, two) => one[0].localeCompare(two[0], "en", { numeric: true }));
  const rank = [];
  order.forEach(([, at], place) => { rank[at] = place; });
  return all.columns[name].map(at => rank[at]);
})();
const sorted = (found, name, down) => {
  if (!name) return found;
  const rank = rankOf(name), turn = down ? -1 : 1;
  return found.slice().sort((one, two) => turn * (rank[one] - rank[two]) || one - two);
};

// The grid's rows: one for each product, scenario and leg, with its cells by build.
const storyRows = (found, order) => {
  const { columns, lists } = all, width = lists.build.length, rows = new Map();
  const { product, scenario, leg, build } = columns, legs = lists.leg.length, scenarios = lists.scenario.length;
  for (const at of found) {
    // a number of its own for each product, scenario and leg: a hundred thousand texts cost more than all the rest
    const key = (product[at] * scenarios + scenario[at]) * legs + leg[at];
    let row = rows.get(key);
    if (!row) rows.set(key, row = { product: product[at], cells: new Array(width).fill(-1), first: at });
    row.cells[build[at]] = at;
  }
  const list = [...rows.values()];
  const weigh = { worst: row => -row.cells.filter(at => at >= 0 && MISSED.includes(all.verdict[at])).length, slow: row => -Math.max(...row.cells.map(at => at < 0 ? -1 : all.seconds[at])) }[order];
  if (weigh) {
    const weights = new Map(list.map(row => [row, weigh(row)]));
    return list.sort((one, two) => weights.get(one) - weights.get(two) || one.first - two.first).map(row => ({ ...row, named: true }));
  }
  // in the plan's order each product is a group of its own
  const groups = new Map();
  for (const row of list) (groups.get(row.product) || groups.set(row.product, []).get(row.product)).push(row);
  return [...groups].flatMap(([product, own]) => [{ product, heading: true }, ...own]);
};
