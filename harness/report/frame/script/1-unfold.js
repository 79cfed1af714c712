// What the page carries, unfolded: columns of numbers and the lists of words they stand for.
const byId = id => document.getElementById(id);
const rawOf = text => {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const chars = atob(text), raw = new Uint8Array(chars.length);
  for (let at = 0; at < raw.length; at++) raw[at] = chars.charCodeAt(at);
  return raw;
};
// straight into the stream: a Blob would go to another process and back first
const bytesOf = async text => {
  const gzip = new DecompressionStream("gzip"), writer = gzip.writable.getWriter();
  for (const done of [writer.write(rawOf(text.trim())), writer.close()]) done.catch(() => {});  // who reads is told
  return new Response(gzip.readable);
};
// the stories and packed files stand behind this script, which does not wait for them
const parsed = new Promise(done => { document.readyState === "loading" ? addEventListener("DOMContentLoaded", done, { once: true }) : done(); });
const unfold = async id => (await bytesOf(byId(id).textContent)).json();

const SVG = "http://www.w3.org/2000/svg";
// Everything a guest said becomes text here: no HTML is ever made of it.
const put = (node, attributes, children) => {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== undefined && value !== "") node.setAttribute(name, value);
  }
  node.append(...children.flat(Infinity).filter(child => child !== "" && child !== undefined && child !== null && child !== false));
  return node;
};
const el = (name, attributes, ...children) => put(document.createElement(name), attributes, children);
const svg = (name, attributes, ...children) => put(document.createElementNS(SVG, name), attributes, children);

const WORDS = { p: "passed", y: "flaky", f: "failed", h: "hung", b: "blocked", s: "skipped", n: "not run" };
const WORST = "hfbnyps";
const MISSED = "fhbn";

const said = hundredths => {
  const seconds = hundredths / 100;
  if (hundredths <= 0) return "";
  if (seconds < 59.95) return `${seconds.toFixed(seconds < 9.995 ? 2 : 1)} s`;
  const whole = Math.round(seconds);
  const two = number => String(number).padStart(2, "0");
  return whole < 3600 ? `${Math.floor(whole / 60)} min ${two(whole % 60)} s` : `${Math.floor(whole / 3600)} h ${two(Math.floor(whole % 3600 / 60))} min`;
};
const counted = number => number.toLocaleString("en");
const arrow = leg => leg.replace("->", " → ");

// One cell as the grid knows it; `all` is set once, when the first island is unfolded.
let all;
const cellAt = at => {
  const { lists, columns } = all;
  const of = name => lists[name][columns[name][at]];
  const [build, buildName] = of("build");
  return {
    at, build, buildName, product: of("product"), kind: lists.kind[columns.product[at]], scenario: of("scenario"),
    leg: arrow(of("leg")), machine: of("machine"), cause: of("cause"), reason: of("reason"),
    letter: all.verdict[at], known: all.known.has(at), seconds: all.seconds[at],
    get verdict() { return WORDS[this.letter]; },
    get style() { return this.known ? `${this.letter} k` : this.letter; },
    get story() { return this.leg ? `${this.scenario} ${this.leg}` : this.scenario; },
    get name() { return `${this.product}: ${this.story} on ${this.buildName}`; },
  };
};
const mark = cell => el("span", { class: `v ${cell.style}` }, cell.known ? `${cell.verdict}, known` : cell.verdict);
