// Curves of runs that keep their place, their zoom and what is pointed at while data arrive.

const SEATS = new WeakMap();
const PATIENCE = 150; // ms after the last change of the zoom before finer points are asked for
const NARROWEST = 0.02; // epochs

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".curves");
  if (!SEATS.has(root)) SEATS.set(root, take(root, data));
  const seat = SEATS.get(root);
  seat.data = data;
  seat.send = (view) => setStateValue("view", view);
  if (!data.view) seat.overview = data.panels;
  build(seat);
  render(seat);
  return () => { seat.watch.disconnect(); clearTimeout(seat.timer); SEATS.delete(root); };
}

function take(root, data) {
  const seat = { root, data, view: data.view, hidden: new Set(), hot: null, drag: null, cards: new Map() };
  root.onpointermove = (event) => point(seat, event);
  root.onpointerleave = () => heat(seat, null);
  root.onpointerdown = (event) => grasp(seat, event);
  root.onpointerup = root.onpointercancel = (event) => release(seat, event);
  root.ondblclick = (event) => event.target.closest("button") || zoom(seat, null);
  root.onkeydown = (event) => type(seat, event);
  root.onclick = (event) => press(seat, event);
  seat.watch = new ResizeObserver(() => root.clientWidth !== seat.width && requestAnimationFrame(() => render(seat)));
  seat.watch.observe(root);
  return seat;
}

// The cards of the panels; they stay as long as the panels are the same ones.
function build(seat) {
  const { root, data } = seat, print = data.panels.map((panel) => panel.id).join();
  if (print === seat.print) return;
  seat.print = print;
  seat.cards = new Map(data.panels.map((panel) => [panel.id, make("section", { class: "card", "data-panel": panel.id },
    make("header", {}), make("div", { class: "legend" }), make("div", { class: "plot" }))]));
  root.querySelector(".panels").replaceChildren(...seat.cards.values());
}

function render(seat) {
  const { root, data, view } = seat, began = performance.now();
  seat.width = root.clientWidth;
  // Back from a part to the whole: what was last known of the whole, until it comes anew.
  const panels = !view && data.view ? seat.overview ?? data.panels : data.panels;
  seat.scales = new Map();
  for (const panel of panels) if (seat.cards.has(panel.id)) drawPanel(seat, panel, seat.cards.get(panel.id));
  const [from, to] = spanOf(seat);
  root.querySelector(".all").hidden = !view;
  root.querySelector(".told").textContent = view
    ? `epochs ${tidy(from)} to ${tidy(to)}` : "drag over a curve to look closer · double-click for all of it";
  if (view) root.dataset.view = `${from},${to}`; else delete root.dataset.view;
  heat(seat, seat.hot);
  root.dataset.end = Math.max(0, ...data.panels.flatMap((panel) => panel.lines.map((line) => line.end))); // newest epoch drawn
  root.dataset.draws = Number(root.dataset.draws ?? 0) + 1;
  root.dataset.drawn = (performance.now() - began).toFixed(1);
}

const spanOf = ({ view, data }) => view ?? [0, Math.max(data.epochs, NARROWEST)];

// -- zoom: a part of the axis is dragged over, walked by keys, or left by a double click ---------------------

function zoom(seat, view) {
  const { epochs } = seat.data;
  if (view) {
    const width = Math.min(epochs, Math.max(NARROWEST, view[1] - view[0]));
    const from = Math.min(Math.max(0, view[0]), epochs - width);
    view = width >= epochs ? null : [from, from + width];
  }
  seat.view = view;
  render(seat);
  clearTimeout(seat.timer);
  seat.timer = setTimeout(() => seat.send(view), PATIENCE);
}

function epochAt(seat, event, id) {
  const scale = seat.scales.get(id), box = seat.cards.get(id).querySelector("svg").getBoundingClientRect();
  return scale.from + ((event.clientX - box.left - scale.left) / scale.inner) * (scale.to - scale.from);
}

const panelOf = (seat, event) => {
  const id = event.target.closest("svg")?.closest("[data-panel]").dataset.panel;
  return seat.scales.has(id) ? id : null;
};

function grasp(seat, event) {
  const id = panelOf(seat, event);
  if (!id || event.button) return;
  seat.drag = { id, begin: epochAt(seat, event, id), end: null };
  seat.root.setPointerCapture(event.pointerId); // the drawing under the pointer is replaced while data arrive
}

function release(seat) {
  const drag = seat.drag;
  seat.drag = null;
  for (const brush of seat.root.querySelectorAll(".brush")) brush.remove();
  if (!drag || drag.end === null) return;
  const [from, to] = [drag.begin, drag.end].sort((a, b) => a - b), [low, high] = spanOf(seat);
  if (to - from > 0.01 * (high - low)) zoom(seat, [Math.max(low, from), Math.min(high, to)]);
}

function type(seat, event) {
  if (event.target.closest("button") || event.ctrlKey || event.metaKey || event.altKey) return;
  const [from, to] = spanOf(seat), width = to - from, key = event.key;
  if (["+", "="].includes(key)) zoom(seat, [from + width / 4, to - width / 4]);
  else if (key === "-") zoom(seat, [from - width / 2, to + width / 2]);
  else if (key === "ArrowLeft" && seat.view) zoom(seat, [from - width / 4, to - width / 4]);
  else if (key === "ArrowRight" && seat.view) zoom(seat, [from + width / 4, to + width / 4]);
  else if (["0", "Escape"].includes(key)) zoom(seat, null);
  else return;
  event.preventDefault();
}

function press(seat, event) {
  if (event.target.closest(".all")) return zoom(seat, null);
  const entry = event.target.closest("[data-line]");
  if (!entry) return;
  const name = entry.dataset.line;
  seat.hidden.has(name) ? seat.hidden.delete(name) : seat.hidden.add(name);
  render(seat);
}

// -- what is pointed at: the same epoch in all panels --------------------------------------------------------

function point(seat, event) {
  const id = seat.drag?.id ?? panelOf(seat, event);
  if (!id) return heat(seat, null);
  const epoch = epochAt(seat, event, id);
  if (seat.drag) stretch(seat, epoch);
  heat(seat, epoch);
}

function stretch(seat, epoch) {
  const { drag } = seat, scale = seat.scales.get(drag.id), svg = seat.cards.get(drag.id).querySelector("svg");
  drag.end = epoch;
  const [from, to] = [drag.begin, epoch].sort((a, b) => a - b);
  svg.querySelector(".brush")?.remove();
  svg.append(draw("rect", { class: "brush", x: scale.x(from), y: 0, width: scale.x(to) - scale.x(from), height: scale.bottom }));
}

function heat(seat, epoch) {
  seat.hot = epoch;
  for (const [id, scale] of seat.scales) {
    const card = seat.cards.get(id), over = card.querySelector(".over");
    over.replaceChildren();
    const inside = epoch !== null && epoch >= scale.from && epoch <= scale.to;
    if (inside) over.append(draw("line", { class: "cross", x1: scale.x(epoch), x2: scale.x(epoch), y1: 0, y2: scale.bottom }));
    scale.lines.forEach((line, number) => {
      const at = inside ? nearest(line.x, epoch) : null;
      const said = card.querySelectorAll(".legend b")[number];
      if (said) said.textContent = figure(at === null ? line.last : line.y[at], scale.unit);
      if (at !== null && !seat.hidden.has(keyOf(line))) {
        over.append(draw("circle", { class: "dot", r: 3.5, style: `--colour: ${line.colour}`, cx: scale.x(line.x[at]), cy: scale.y(line.y[at]) }));
      }
    });
  }
}
