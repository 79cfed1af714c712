// A table of any length, of which only the rows in view exist.
class Rows {
  constructor(sheet, label) {
    this.sheet = sheet;
    this.label = label;
    this.place = [0, 0];
    this.heights = {};
    sheet.addEventListener("scroll", () => { this.top = sheet.scrollTop; this.asked ||= requestAnimationFrame(() => { this.asked = 0; this.draw(); }); });
    sheet.addEventListener("keydown", event => this.step(event));
    sheet.addEventListener("focusin", event => { const at = event.target.dataset?.place; if (at) this.place = at.split(",").map(Number); });
    addEventListener("resize", () => { this.heights = {}; this.height = 0; this.first = -1; this.draw(); });
  }

  // `row(at)` makes a <tr>, `head()` the heading; links that the arrow keys reach carry data-place="row,column".
  show({ count, row, head, name, wide }) {
    Object.assign(this, { count, row });
    this.table = el("table", { role: "grid", class: name, "aria-label": this.label, "aria-rowcount": count + 1, "aria-colcount": wide });
    this.body = el("tbody");
    this.table.append(head(), this.body);
    // asking for places makes the browser lay out the page: once for each kind of table, not at each letter typed
    this.height = this.heights[name] || 0;
    this.sheet.scrollTop = this.top = 0;
    this.sheet.replaceChildren(this.table);
    this.first = -1;
    this.place = [0, 0];
    this.draw();
    this.heights[name] = this.height;
  }

  draw(whole = false) {
    if (!this.table) return;
    if (!this.height && this.count) {
      this.body.replaceChildren(this.row(Math.min(1, this.count - 1)));
      this.height = this.body.firstChild.getBoundingClientRect().height || 36;
    }
    const height = this.height || 36, spare = 6;
    const seen = Math.ceil(0.72 * innerHeight / height) + 1;
    const first = whole ? 0 : Math.max(0, Math.min(Math.floor(this.top / height), this.count - seen) - spare);
    const last = whole ? Math.min(this.count, whole) : Math.min(this.count, first + seen + 2 * spare);
    if (first === this.first && last === this.last) return;
    [this.first, this.last] = [first, last];
    const gap = rows => { const line = el("tr", { "aria-hidden": "true", class: "gap" }, el("td")); line.firstChild.style.height = `${rows * height}px`; return line; };
    const lines = [];
    if (first) lines.push(gap(first));
    for (let at = first; at < last; at++) lines.push(put(this.row(at), { "aria-rowindex": at + 2 }, []));
    if (last < this.count && !whole) lines.push(gap(this.count - last));
    const held = this.sheet.contains(document.activeElement) && document.activeElement !== this.sheet;
    this.body.replaceChildren(...lines);
    const stop = this.link(...this.place) || this.body.querySelector("a[data-place]");
    if (stop) { stop.tabIndex = 0; if (held && stop.dataset.place === this.place.join()) stop.focus({ preventScroll: true }); }
  }

  link(row, column) { return this.body.querySelector(`a[data-place="${row},${column}"]`); }

  step(event) {
    const moves = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1], PageDown: [12, 0], PageUp: [-12, 0] };
    const move = moves[event.key];
    if (!move || !event.target.dataset.place || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    let [row, column] = this.place;
    // a place without a cell is stepped over
    for (let tries = 0; tries < 40; tries++) {
      row = row + move[0]; column = column + move[1];
      if (row < 0 || row >= this.count || column < 0 || column > 60) return;
      this.reveal(row);
      const link = this.link(row, column);
      if (!link) { if (Math.abs(move[0]) > 1) move[0] = Math.sign(move[0]); continue; }
      const old = this.link(...this.place);
      if (old) old.tabIndex = -1;
      this.place = [row, column];
      link.tabIndex = 0;
      link.focus({ preventScroll: true });
      link.scrollIntoView({ block: "nearest", inline: "nearest" });
      return;
    }
  }

  reveal(row) {
    const head = this.table.tHead.offsetHeight, top = row * this.height, sheet = this.sheet;
    if (top < sheet.scrollTop) sheet.scrollTop = top;
    else if (top + this.height + head > sheet.scrollTop + sheet.clientHeight) sheet.scrollTop = top + this.height + head - sheet.clientHeight;
    this.top = sheet.scrollTop;
    this.draw();
  }
}
