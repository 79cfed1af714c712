"use strict";
// What a guest said reaches the page as text nodes only: nothing here makes markup out of a string.
const place = (id) => document.getElementById(id);

function time(seconds) {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

function row(cells) {
  const line = document.createElement("tr");
  for (const [text, kind] of cells) {
    const cell = document.createElement("td");
    const isolated = document.createElement("bdi");
    isolated.textContent = text;
    cell.append(isolated);
    if (kind) cell.className = kind.replaceAll(" ", "-");
    line.append(cell);
  }
  return line;
}

const ends = (of) => Object.entries(of).map(([verdict, number]) => `${number} ${verdict}`).join(", ");
const step = (now) => `${now.step} (${Math.round(now.step_seconds)} s)`;

function show(view) {
  place("run").textContent = view.matrix ? `${view.matrix}: ${view.run}` : view.run;
  document.title = `${view.done} of ${view.planned}, ${view.state} - wincompat`;
  place("lab").hidden = !view.is_lab;
  const eta = view.eta === null ? "" : `, about ${time(view.eta)} to go (by ${view.eta_from})`;
  place("how").textContent = `${view.state}: ${view.done} of ${view.planned} cells, ${time(view.elapsed)}${eta}`;
  place("done").max = Math.max(1, view.planned);
  place("done").value = view.done;
  place("ends").textContent = ends(view.ends);
  place("machines").replaceChildren(
    ...view.machines.map((it) => row([[it.name], [ends(it.ends)], it.now ? [it.now.cell] : ["-"], [it.now ? step(it.now) : ""]])),
    ...view.running.filter((now) => !now.machine).map((now) => row([[now.worker || "-"], [""], [now.cell], [step(now)]])),
  );
  place("latest").replaceChildren(
    ...view.latest.map((it) => row([[it.cell], [it.verdict, it.verdict], [time(it.seconds)], [it.reason]])),
  );
  place("notes").textContent = view.notes.join(" ");
}

async function follow() {
  try {
    const answer = await fetch("state.json", { cache: "no-store" });
    show(await answer.json());
  } catch {
    place("how").textContent = "The watcher has ended; the run goes on without it.";
  }
  setTimeout(follow, document.hidden ? 5000 : 1000);
}
follow();
