// One cell in full: what happened, why, what proves it, and how to see it again.
let stories;
const packedFiles = new Map();
const wholeStories = async () => {
  if (stories) return stories;
  await parsed;
  stories = await unfold("story-island");
  for (const holder of document.querySelectorAll("script[data-file]")) packedFiles.set(holder.dataset.file, holder.id.slice(5));
  // where each cell's own steps begin in the long columns
  const ends = []; let end = 0;
  for (const shape of stories.columns.steps) { ends.push(end); end += stories.lists.steps[shape].length; }
  stories.stepsFrom = ends;
  return stories;
};

// Only what a browser shows as text or picture is linked: a file out of a guest could hold a page with scripts.
const QUIET = /\.(log|txt|jsonl?|csv|md|ini|png|jpe?g|gif|bmp|webp)$/i;
const linked = path => QUIET.test(path) && !path.split("/").includes("..") && !/^[a-z]+:|^\/|\\/i.test(path);

const folderOf = (mark, id) => {
  if (!mark || mark.startsWith("/")) return mark.slice(1);
  const trim = text => text.replace(/^[-. ]+|[-. ]+$/g, "");
  return `${trim(trim(id.toLowerCase().replace(/[^a-z0-9._-]+/g, "-")).slice(0, 60)).replaceAll(".", "-")}-${mark}`;
};

const tell = async at => {
  const whole = await wholeStories(), cell = cellAt(at), { lists, columns } = whole;
  const told = whole.told[at] || {};
  const from = whole.stepsFrom[at];
  let clock = 0;
  cell.steps = lists.steps[columns.steps[at]].map((name, place) => {
    const seconds = columns.seconds[from + place], started = clock + columns.gaps[from + place];
    clock = started + seconds;
    return { name, seconds, started, error: (told.errors || {})[place] || "" };
  });
  cell.id = whole.cell[at];
  cell.facts = lists.guest[columns.guest[at]];
  cell.worker = lists.worker[columns.worker[at]];
  cell.provenance = lists.provenance[columns.provenance[at]];
  cell.started = whole.began && whole.started[at] >= 0 ? new Date(Date.parse(whole.began) + 1000 * whole.started[at]).toISOString().replace("T", " ").slice(0, 19) : "";
  cell.evidence = told.evidence || lists.evidence[columns.evidence[at]].map(([name, kind, file]) => {
    const path = `evidence/${folderOf(columns.folder[at], cell.id)}/${file}`;
    return { name, kind, link: whole.base !== null && linked(path) ? whole.base + path.split("/").map(encodeURIComponent).join("/") : "" };
  });
  const quoted = /["$`\\%!']/.test(cell.id) ? "" : `pytest "${whole.node}${cell.id}"${whole.site ? ` --site ${whole.site}` : ""}`;
  return Object.assign(cell, { told, repeat: told.repeat || (whole.node ? quoted : "") });
};

const stepTable = (cell, longest) => {
  if (!cell.steps.length) return "";
  const end = longest || Math.max(1, cell.seconds, ...cell.steps.map(step => step.started + step.seconds));
  const percent = part => `${Math.max(0, Math.min(100, 100 * part / end)).toFixed(1)}%`;
  return el("table", { class: "steps" },
    el("caption", { class: "hear" }, "Steps with their times"),
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Step"), el("th", { scope: "col" }, "Seconds"), el("th", { scope: "col" }, el("span", { class: "hear" }, "Chart")))),
    el("tbody", {}, cell.steps.map(step => [
      el("tr", {}, el("th", { scope: "row" }, step.name), el("td", {}, (step.seconds / 100).toFixed(2)),
        el("td", {}, svg("svg", { "aria-hidden": "true" }, svg("rect", { x: percent(step.started), width: percent(step.seconds), class: step.error ? "e" : "" })))),
      step.error && el("tr", {}, el("td", { colspan: 3, class: "error" }, step.error)),
    ])));
};

// "file added: C:\Program Files\x\y.exe (12 bytes)" by area and folder
const changeTree = text => {
  const areas = new Map();
  for (const line of text.split("\n")) {
    const found = /^(.+?) (added|changed|removed): (.*)$/.exec(line);
    if (!found) continue;
    let branch = areas.get(found[1]) || areas.set(found[1], new Map()).get(found[1]);
    const parts = found[3].split("\\");
    parts.forEach((part, at) => {
      if (at === parts.length - 1) branch.set(`${part}\0${branch.size}`, found[2]);
      else branch = branch.get(part) || branch.set(part, new Map()).get(part);
    });
  }
  const signs = { added: "+", changed: "~", removed: "−" };
  const branchOf = branch => el("ul", {}, [...branch].map(([name, inside]) => {
    if (typeof inside === "string") return el("li", { class: inside }, el("span", { "aria-hidden": "true" }, `${signs[inside]} `), el("span", { class: "hear" }, `${inside}: `), name.split("\0")[0]);
    while (inside.size === 1 && typeof [...inside.values()][0] !== "string") { const [next] = inside; name += `\\${next[0]}`; inside = next[1]; }
    return el("li", {}, el("details", { open: inside.size < 12 }, el("summary", {}, name), branchOf(inside)));
  }));
  return areas.size ? el("div", { class: "tree" }, branchOf(areas)) : null;
};

// As on our side: what would act or hide in a text is shown by a picture or by its code point.
const HIDDEN = /[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\uffff]/g;
const harmless = text => text.replaceAll("\r\n", "\n").replace(HIDDEN, char => {
  const code = char.charCodeAt(0);
  return code < 0x20 ? String.fromCharCode(0x2400 + code) : code === 0x7f ? "\u2421" : `[U+${code.toString(16).toUpperCase().padStart(4, "0")}]`;
});
// a log of many megabytes is laid out by the piece: a browser takes minutes for one line of that length
const PIECE = 200000;
const inPieces = text => {
  const whole = el("pre", { tabindex: 0 }), more = el("button", { type: "button" });
  let at = 0;
  const next = () => {
    whole.append(harmless(text.slice(at, at += PIECE)));
    more.textContent = `Show more: ${counted(Math.max(0, text.length - at))} characters are left`;
    more.hidden = at >= text.length;
  };
  more.addEventListener("click", next);
  next();
  return [whole, more];
};

const wholeFile = piece => {
  const button = el("button", { type: "button" }, "Show all of it");
  button.addEventListener("click", async () => {
    const holder = byId(`file-${packedFiles.get(piece.link)}`);
    if (!holder) return button.replaceWith(el("iframe", { sandbox: true, src: piece.link, title: `All of ${piece.name}`, class: "whole" }));
    const bytes = new Uint8Array(await (await bytesOf(holder.textContent)).arrayBuffer());
    if (/\.(png|jpe?g|gif|bmp|webp)$/i.test(piece.link)) {
      const picture = el("img", { alt: `All of ${piece.name}` });
      picture.src = `data:image/png;base64,${btoa(bytes.reduce((text, byte) => text + String.fromCharCode(byte), ""))}`;
      return button.replaceWith(picture);
    }
    const wide = bytes[0] === 0xff && bytes[1] === 0xfe;
    button.replaceWith(...inPieces(new TextDecoder(wide ? "utf-16le" : "utf-8").decode(bytes)));
  });
  return button;
};
const evidenceParts = cell => cell.evidence.map(piece => {
  const tree = piece.text && piece.name.startsWith("changes-") && changeTree(piece.text);
  const quiet = piece.link && (packedFiles.has(piece.link) || /\.(log|txt|json|jsonl|csv|png|jpe?g)$/i.test(piece.link));
  const picture = piece.image || (piece.kind === "screenshot" || /\.(png|jpe?g)$/i.test(piece.name)) && !packedFiles.size && piece.link;
  return el("figure", {},
    el("figcaption", {}, piece.link && !packedFiles.has(piece.link) ? el("a", { href: piece.link }, piece.name) : el("b", {}, piece.name),
      ` ${[piece.size, piece.text && !tree && (piece.whole ? "in full" : "where it matters"), piece.note].filter(Boolean).join(", ")}`),
    picture && el("img", { src: picture, alt: `The console at the moment of the verdict: ${piece.name}`, loading: "lazy" }),
    tree || piece.text && el("pre", { tabindex: 0 }, piece.text),
    quiet && !picture && !piece.whole && wholeFile(piece));
});
const pairs = list => el("dl", {}, list.filter(([, value]) => value).map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
const copied = text => {
  const button = el("button", { type: "button", class: "copy" }, "Copy");
  button.addEventListener("click", async () => {
    try { await navigator.clipboard.writeText(text); button.textContent = "Copied"; }
    catch { getSelection().selectAllChildren(button.previousSibling); button.textContent = "Selected: press Ctrl+C"; }
  });
  return [el("code", {}, text), button];
};

const storyParts = (cell, longest) => {
  const { told } = cell;
  const before = (all.before.verdicts || [])[cell.at];
  return [
    (told.reason || cell.reason) && el("p", { class: "reason" }, told.reason || cell.reason),
    told.fault && el("p", { class: "fault" }, told.fault, cell.cause && ` Cause: ${cell.cause}.`),
    told.issue && el("p", { class: "issue" }, el("b", {}, "Known issue "), told.issue),
    told.findings && el("ul", { class: "rules" }, told.findings.map(([code, sentence]) => el("li", {}, el("code", {}, code), ` ${sentence}`))),
    told.foretold && el("ul", { class: "foretold", "aria-label": "Predicted before, seen now" }, told.foretold.map(([style, standing, code, predicted, seen]) => el("li", {}, el("span", { class: `v ${style} k` }, standing), " ", el("code", {}, code), ` predicted: ${predicted}; seen: ${seen}`))),
    stepTable(cell, longest),
    told.attempts && el("ol", { class: "attempts" }, told.attempts.map(([verdict, why]) => el("li", {}, el("b", {}, verdict), ` ${why}`))),
    evidenceParts(cell),
    (told.notes || []).map(note => el("p", { class: "note" }, note)),
    pairs([
      ["machine", cell.machine], ...cell.facts, ["evidence from", cell.provenance], ["began (UTC)", cell.started], ["worker", cell.worker],
      ...(told.kept || []).map(([what, command]) => [what, copied(command)]),
      ["runs before", before && before.trim() && el("span", { class: "past" }, [...before].map((letter, at) => letter !== " " && el("a", { class: `v ${letter}`, title: all.before.runs[at] }, WORDS[letter])))],
      ["repeat it", cell.repeat && copied(cell.repeat)],
    ]),
  ];
};
