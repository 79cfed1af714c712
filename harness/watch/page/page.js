"use strict";
// What a guest said reaches the page as text nodes only: nothing here makes markup out of a string.
const place = (id) => document.getElementById(id);

function time(seconds) {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

// What stands there already stays: a word that somebody selects or listens to is not taken away each second.
function tell(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function fill(body, rows) {
  while (body.rows.length > rows.length) body.lastElementChild.remove();
  rows.forEach((cells, number) => {
    const line = body.rows[number] || body.appendChild(document.createElement("tr"));
    cells.forEach(([text, kind], place) => {
      let cell = line.cells[place];
      if (!cell) {
        cell = document.createElement(place ? "td" : "th");
        if (!place) cell.scope = "row";
        cell.append(document.createElement("bdi"));
        line.append(cell);
      }
      tell(cell.firstChild, text);
      const name = (kind || "").replaceAll(" ", "-");
      if (cell.className !== name) cell.className = name;
    });
  });
}

const ends = (of) => Object.entries(of).map(([verdict, number]) => `${number} ${verdict}`).join(", ");
const step = (now) => `${now.step} (${Math.round(now.step_seconds)} s)`;

function show(view) {
  tell(place("run"), view.matrix ? `${view.matrix}: ${view.run}` : view.run);
  const title = `${view.done} of ${view.planned}, ${view.state} - wincompat`;
  if (document.title !== title) document.title = title;
  place("lab").hidden = !view.is_lab;
  const eta = view.eta === null ? "" : `, about ${time(view.eta)} to go (by ${view.eta_from})`;
  tell(place("how"), `${view.state}: ${view.done} of ${view.planned} cells, ${time(view.elapsed)}${eta}`);
  // read aloud when a cell has ended, not each second
  tell(place("said"), `${view.state}, ${view.done} of ${view.planned} cells: ${ends(view.ends)}`);
  place("done").max = Math.max(1, view.planned);
  place("done").value = view.done;
  tell(place("ends"), ends(view.ends));
  fill(place("machines"), [
    ...view.machines.map((it) => [[it.name], [ends(it.ends)], it.now ? [it.now.cell] : ["-"], [it.now ? step(it.now) : ""]]),
    ...view.running.filter((now) => !now.machine).map((now) => [[now.worker || "-"], [""], [now.cell], [step(now)]]),
  ]);
  fill(place("latest"), view.latest.map((it) => [[it.cell], [it.verdict, it.verdict], [time(it.seconds)], [it.reason]]));
  tell(place("notes"), view.notes.join(" "));
}

async function follow() {
  try {
    const answer = await fetch("state.json", { cache: "no-store" });
    show(await answer.json());
  } catch {
    tell(place("how"), "The watcher has ended; the run goes on without it.");
    tell(place("said"), place("how").textContent);
  }
  setTimeout(follow, document.hidden ? 5000 : 1000);
}
follow();
