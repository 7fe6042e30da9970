// One drawing of several views: what is pointed at or selected in one is marked in all, without the server.

const SEATS = new WeakMap();
const PATIENCE = 300; // ms after the last key before the server hears where the walk ended

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".explorer");
  if (!SEATS.has(root)) SEATS.set(root, take(root, data));
  const seat = SEATS.get(root), chosen = seat.data.layers[seat.selected];
  seat.data = data;
  listen(seat, data, setStateValue);
  seat.selected = found(data, recalled(seat)?.selected ?? chosen);
  data.look.order = asked(seat, "order") ?? data.look.order;
  renew(seat);
  return () => { seat.watch.disconnect(); Object.values(seat.timers).forEach(clearTimeout); SEATS.delete(root); };
}

const found = (data, name) => (data.layers.includes(name) ? data.layers.indexOf(name) : null);

function take(root, data) {
  const seat = { root, data, hot: [null, null], selected: found(data, data.look.selected), room: {}, wide: {}, timers: {} };
  seat.later = (name, tell, wait = PATIENCE) => {
    clearTimeout(seat.timers[name]);
    wait ? seat.timers[name] = setTimeout(tell, wait) : tell();
  };
  root.onpointermove = (event) => point(seat, event);
  root.onpointerleave = () => heat(seat, null, null, "");
  root.onclick = (event) => press(seat, event);
  root.onkeydown = (event) => type(seat, event);
  seat.watch = new ResizeObserver((entries) => entries.forEach((entry) => resized(seat, entry)));
  for (const watched of [root, root.querySelector(".map .plot")]) seat.watch.observe(watched);
  return seat;
}

// The map is drawn anew at once, before the frame is shown: it fills its box and changes no size.
function resized(seat, { target, contentRect }) {
  if (target === seat.root) {
    if (contentRect.width !== seat.width) requestAnimationFrame(() => render(seat, { measured: false }));
    return;
  }
  seat.room = { width: contentRect.width, height: contentRect.height };
  drawMap(seat);
  mark(seat);
}

// Drawn anew only for something new: elements that are replaced between press and release lose the click.
function renew(seat) {
  const { heard, look: { selected, ...look }, ...seen } = seat.data; // the first two change no view
  const print = JSON.stringify([paletteOf(seat.root), look, seen]);
  if (print !== seat.print) render(seat);
  seat.print = print;
}

function render(seat, { measured = Boolean(seat.width) } = {}) {
  const { root, data } = seat, look = data.look, began = performance.now();
  if (!measured) measureRoot(seat);
  const active = root.getRootNode().activeElement;
  root.querySelector(".matrix .aside").textContent = data.cut === null && look.order === "dendrogram"
    ? `average-linkage tree; colours: clusters of ${data.method}` : "";
  for (const button of root.querySelectorAll("[data-look]")) {
    button.setAttribute("aria-pressed", String(look[button.dataset.look] === button.value));
  }
  drawStrip(seat, seat.wide.strip);
  drawStudent(seat, seat.wide.strip);
  drawMatrix(seat, seat.wide.matrix);
  drawFacts(seat);
  drawMap(seat);
  mark(seat);
  const lost = [".cell[tabindex='0']", ".cut", ".facts input", ".deeds button"].find((part) => active?.matches(part));
  if (lost && !active.isConnected) root.querySelector(lost)?.focus({ preventScroll: true });
  root.dataset.drawn = (performance.now() - began).toFixed(1);
}

// Widths follow from the width of the whole; read only when that changed, as reading lays out the page.
function measureRoot(seat) {
  const widthOf = (part) => seat.root.querySelector(part).clientWidth;
  seat.wide = { matrix: widthOf(".matrix .plot"), strip: widthOf(".strip") };
  seat.width = seat.root.getBoundingClientRect().width;
}

// The layers under the pointer: row and column of a cell of the matrix, else one layer twice.
function under(seat, event) {
  if (event.target.closest(".cells")) return cellUnder(seat, event);
  const drawn = event.target.closest("[data-layer]");
  return drawn && Array(2).fill(Number(drawn.dataset.layer));
}

function point(seat, event) {
  const { data } = seat, [row, column] = under(seat, event) ?? [null, null];
  if (row === null) return heat(seat, null, null, "");
  const pair = row === column ? data.standings[row] : number(data.similarity[row][column]);
  const names = row === column ? data.layers[row] : `${data.layers[row]} · ${data.layers[column]}`;
  const floor = row !== column && data.floors
    ? ` (unrelated layers: about ${number(data.floors[row][column], 2)})` : "";
  heat(seat, row, column, event.pointerType === "touch" ? "" : `${names}: ${pair}${floor}`);
  const tip = seat.root.querySelector(".tip"), at = seat.root.getBoundingClientRect();
  const x = Math.min(event.clientX - at.left + 14, at.width - tip.offsetWidth - 4);
  tip.style.transform = `translate(${Math.max(0, x)}px, ${event.clientY - at.top + 18}px)`;
}

function heat(seat, row, column, says) {
  const tip = seat.root.querySelector(".tip");
  tip.hidden = !says;
  tip.textContent = says;
  if (row === seat.hot[0] && column === seat.hot[1]) return;
  seat.hot = [row, column];
  mark(seat);
}

function mark(seat) {
  const { root, hot, selected } = seat;
  for (const drawn of root.querySelectorAll("[data-layer]")) {
    const layer = Number(drawn.dataset.layer);
    drawn.classList.toggle("hot", hot.includes(layer));
    drawn.classList.toggle("picked", layer === selected);
  }
  root.querySelectorAll(".cell").forEach((cell, layer) => {
    const index = layer === (selected ?? 0) ? 0 : -1;
    if (cell.tabIndex !== index) cell.tabIndex = index; // setting it lays out the page
    cell.setAttribute("aria-selected", String(layer === selected));
  });
  crossMatrix(seat, "hot", ...hot);
  crossMatrix(seat, "picked", selected, selected);
}

function select(seat, layer, wait = 0) {
  if (layer !== seat.selected) {
    seat.selected = layer;
    drawFacts(seat);
    mark(seat);
    seat.later("selected", () => seat.send("selected", layer === null ? "" : seat.data.layers[layer]), wait);
  }
  if (layer !== null) seat.root.querySelector(".cell.picked").focus({ preventScroll: true });
}

function press(seat, event) {
  const button = event.target.closest("[data-look]"), layers = under(seat, event);
  if (layers) select(seat, layers[0]);
  if (!button) return;
  seat.send(button.dataset.look, button.value);
  if (button.dataset.look !== "order") return; // another map has to come from the server first
  seat.data.look.order = button.value;
  renew(seat);
}

function type(seat, event) {
  const last = seat.data.layers.length - 1, here = seat.selected ?? -1, cell = event.target.closest(".cell");
  if (event.target.closest("input, button") || event.ctrlKey || event.metaKey || event.altKey) return;
  const goes = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -last - 1, End: last + 1 }[event.key];
  if (goes) select(seat, Math.min(last, Math.max(0, here + goes)), PATIENCE);
  else if (event.key === "Escape") select(seat, null);
  else if (cell && [" ", "Enter"].includes(event.key)) seat.send("toggle", seat.data.layers[cell.dataset.layer]);
  else return;
  event.preventDefault();
}
