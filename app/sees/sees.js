// Points that move from layer to layer; the server hears where a walk is or ended and which image was clicked.

const SEATS = new WeakMap();
const PATIENCE = 300; // ms at rest before the server hears of it
const PACE = 700;     // ms from one layer to the next while it plays
const NEWS = 3;       // layers from one that the server hears of to the next while it plays: two seconds

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".sees");
  if (SEATS.get(root)?.data.layers.join() !== data.layers.join()) SEATS.set(root, take(root, data));
  const seat = SEATS.get(root);
  if (seat.packed !== data.places) [seat.packed, seat.places] = [data.places, unpacked(data.places)];
  if (seat.picture !== data.sheet) root.style.setProperty("--sheet", `url(${(seat.picture = data.sheet)})`);
  seat.data = data;
  listen(seat, data, setStateValue);
  const kept = recalled(seat);
  if (kept) [seat.layer, seat.image] = [seat.depth = Math.max(0, data.layers.indexOf(kept.layer)), kept.image];
  data.look.colour = asked(seat, "colour") ?? data.look.colour;
  root.classList.toggle("tiny", Math.max(...data.tile) <= 16);
  root.querySelector("input").max = data.layers.length - 1;
  show(root.querySelector(".flags"), [data.layers, data.hints], () => data.hints.map(([layer, colour, ink], place) => make("button",
    { type: "button", class: "flag", "data-layer": layer, title: data.layers[layer], style: `--at: ${layer / Math.max(1, data.layers.length - 1)}; --cluster: ${colour}; --ink: ${ink}` }, `HP${place + 1}`)));
  renew(seat);
  return () => { seat.watch.disconnect(); [seat.timer, seat.soon].forEach(clearTimeout); cancelAnimationFrame(seat.frame); SEATS.delete(root); };
}

function take(root, data) {
  const layer = Math.max(0, data.layers.indexOf(data.look.layer));
  const seat = { root, data, layer, depth: layer, image: data.look.image, hot: null, only: null, playing: false };
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
  seat.calm = () => calm.matches;
  root.onpointermove = (event) => point(seat, event);
  root.onpointerleave = () => heat(seat, null);
  root.onclick = (event) => press(seat, event);
  root.onkeydown = (event) => type(seat, event);
  root.querySelector("input").oninput = (event) => { play(seat, false); walk(seat, Number(event.target.value)); };
  root.onchange = ({ target: { dataset: { side }, value } }) => {
    if (side === "here") walk(seat, seat.data.layers.indexOf(value));
    if (side === "beside") seat.send("beside", value);
  };
  seat.watch = new ResizeObserver(() => requestAnimationFrame(() => paint(seat)));
  seat.watch.observe(root.querySelector(".sky"));
  return seat;
}

// All but the points on their way: the words, the cards, the key.
function renew(seat) {
  const { root, data, layer } = seat, name = data.layers[layer];
  root.querySelector(".plot-card h3").textContent = name;
  root.querySelector(".plot-card .aside").textContent = `layer ${layer + 1} of ${data.layers.length} · ${data.shapes[layer]}`;
  for (const button of root.querySelectorAll("[data-colour]")) button.setAttribute("aria-pressed", String(data.look.colour === button.dataset.colour));
  const slider = root.querySelector("input");
  slider.value = layer;
  slider.setAttribute("aria-valuetext", name);
  root.querySelector("canvas").setAttribute("aria-label", `${data.labels.length} probe images as ${name} sees them; image ${seat.image} is chosen`);
  const button = root.querySelector(".play");
  button.textContent = seat.playing ? "Pause" : "Play";
  button.setAttribute("aria-pressed", String(seat.playing));
  drawImage(seat);
  drawNear(seat);
  drawKeys(seat);
  paint(seat);
}

// Go to a layer: the points move there, or are there at once for who wants no motion.
function walk(seat, layer, { wait = PATIENCE } = {}) {
  seat.layer = Math.min(seat.data.layers.length - 1, Math.max(0, layer));
  if (seat.calm()) seat.depth = seat.layer;
  renew(seat);
  clearTimeout(seat.timer);
  const say = () => seat.send("layer", seat.data.layers[seat.layer]);
  if (!seat.playing) seat.timer = setTimeout(say, wait);
  else if (seat.layer % NEWS === 0) say(); // the page may be left before the end
  const way = seat.layer - seat.depth, began = performance.now(), from = seat.depth;
  const lasts = seat.playing ? PACE : Math.min(900, 350 * Math.abs(way));
  const step = (now) => {
    const share = lasts ? Math.min(1, Math.max(0, (now - began) / lasts)) : 1;
    seat.depth = from + way * share;
    paint(seat);
    if (share < 1) seat.frame = requestAnimationFrame(step);
    else if (seat.playing) seat.timer = setTimeout(() => onward(seat), seat.calm() ? PACE : 0);
  };
  cancelAnimationFrame(seat.frame);
  seat.frame = requestAnimationFrame(step);
}

function play(seat, on) {
  if (seat.playing === on) return;
  seat.playing = on;
  const last = seat.data.layers.length - 1;
  if (on && seat.layer === last) [seat.layer, seat.depth] = [0, 0];
  on ? onward(seat) : walk(seat, seat.layer);
}

const onward = (seat) => seat.layer < seat.data.layers.length - 1 ? walk(seat, seat.layer + 1) : play(seat, false);

function choose(seat, image, { wait = 0 } = {}) {
  seat.image = image;
  renew(seat);
  clearTimeout(seat.soon);
  seat.soon = setTimeout(() => seat.send("image", image), wait);
}

function point(seat, event) {
  const drawn = event.target.closest("[data-image]"), key = event.target.closest(".key");
  const hot = event.target.closest("canvas") ? imageUnder(seat, event) : drawn ? Number(drawn.dataset.image) : null;
  heat(seat, hot, event, Boolean(drawn));
  const only = key ? Number(key.dataset.only) : seat.pinned ?? null;
  if (only !== seat.only) { seat.only = only; paint(seat); }
}

function heat(seat, hot, event = null, drawn = false) {
  const tip = seat.root.querySelector(".tip"), changed = hot !== seat.hot;
  tip.hidden = hot === null || drawn || event?.pointerType === "touch";
  if (changed) {
    seat.hot = hot;
    if (!tip.hidden) tip.replaceChildren(tile(seat, hot).firstChild, make("span", {}, named(seat.data, hot)));
    seat.root.querySelector("canvas").style.cursor = hot === null ? "" : "pointer";
    paint(seat);
  }
  if (tip.hidden) return;
  const at = seat.root.getBoundingClientRect(), x = Math.min(event.clientX - at.left + 14, at.width - tip.offsetWidth - 4);
  tip.style.transform = `translate(${Math.max(0, x)}px, ${event.clientY - at.top + 16}px)`;
}

function press(seat, event) {
  const over = (selector) => event.target.closest(selector)?.dataset;
  const image = event.target.closest("canvas") ? imageUnder(seat, event) : over("button[data-image]")?.image ?? null;
  if (image !== null) choose(seat, Number(image));
  if (event.target.closest(".play")) play(seat, !seat.playing);
  if (over(".flag")) { play(seat, false); walk(seat, Number(over(".flag").layer)); }
  if (over(".key")) {
    const only = Number(over(".key").only);
    seat.only = seat.pinned = seat.pinned === only ? null : only;
    renew(seat);
  }
  if (!over("[data-colour]")) return;
  seat.data.look.colour = over("[data-colour]").colour;
  seat.only = seat.pinned = null;
  seat.send("colour", seat.data.look.colour);
  renew(seat);
}

function type(seat, event) {
  const { key, target } = event, last = seat.data.labels.length - 1;
  if (event.ctrlKey || event.metaKey || event.altKey || target.closest("select")) return;
  const along = { ArrowRight: 1, ArrowLeft: -1 }[key], other = { ArrowDown: 1, ArrowUp: -1 }[key];
  if (key === " " && !target.closest("button")) play(seat, !seat.playing);
  else if (along) { play(seat, false); walk(seat, seat.layer + along); }
  else if (other) choose(seat, Math.min(last, Math.max(0, seat.image + other)), { wait: PATIENCE });
  else return;
  event.preventDefault();
}
