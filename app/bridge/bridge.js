// The pairs between the two networks: the teacher above, the student below, and in between how each pair meets.
// A pair is chosen by a click; the student's layer that is clicked next takes the place of its guided one.

const SEATS = new WeakMap();
const ROOM = 130; // px that a meeting needs beside others

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".bridge");
  if (!SEATS.has(root)) SEATS.set(root, take(root));
  const seat = SEATS.get(root);
  seat.data = data;
  listen(seat, data, setStateValue);
  render(seat);
  return () => { seat.watch.disconnect(); SEATS.delete(root); };
}

function take(root) {
  const seat = { root, chosen: null };
  seat.watch = new ResizeObserver(([{ contentRect }]) => {
    if (contentRect.width !== seat.width) requestAnimationFrame(() => render(seat));
  });
  seat.watch.observe(root);
  root.onclick = (event) => press(seat, event);
  root.onkeydown = (event) => {
    if (event.key === "Escape") choose(seat, null);
    if (!["Enter", " "].includes(event.key) || !event.target.closest(".mate")) return;
    event.preventDefault(); // the space bar would scroll the page
    press(seat, event);
  };
  root.onpointermove = (event) => heat(seat, event.target.closest("[data-pair]")?.dataset.pair);
  root.onpointerleave = () => heat(seat, undefined);
  return seat;
}

function render(seat) {
  const { root, data } = seat, find = (part) => root.querySelector(part);
  const active = root.getRootNode().activeElement?.closest(".meeting")?.dataset.pair;
  seat.width = root.clientWidth;
  drawStrip(seat, seat.width);
  const stacked = find(".strip").classList.contains("wrapped") || seat.width < ROOM * data.meetings.length;
  root.classList.toggle("stacked", stacked);
  find(".teacher").replaceChildren(make("b", {}, "Teacher "), data.teacher);
  find(".bridge > .student").replaceChildren(make("b", {}, "Student "), data.student.name);
  find(".meetings").replaceChildren(...data.meetings.map((meeting, pair) => card(seat, meeting, pair)));
  find(".mates").className = `mates ${stacked ? "narrow" : ""}`;
  find(".mates").replaceChildren(...mates(data, stacked));
  if (!stacked) drawTies(seat);
  choose(seat, seat.chosen === null ? null : Math.min(seat.chosen, data.meetings.length - 1));
  if (active !== undefined) focus(root, active);
}

function card(seat, meeting, pair) {
  const { data } = seat, [layer] = data.student.pairs[pair], look = ofLayer(data, layer);
  const shapes = `${meeting.hint_shape} → ${meeting.guided_shape}`;
  return make("button", { class: "meeting", style: look.style, type: "button", role: "radio", "data-pair": pair },
    make("div", { class: "who" }, make("span", { class: "flag" }, `HP${data.hints.indexOf(layer) + 1}`), ` ${meeting.hint} → ${meeting.guided}`),
    make("div", { class: "soft" }, shapes),
    make("div", { class: meeting.fits ? "how" : "how bad" }, meeting.adapter),
    ...(meeting.parameters ? [make("div", { class: "soft" }, meeting.parameters)] : []));
}

function drawTies(seat) {
  const { root, data, width } = seat, count = data.meetings.length, gap = 10;
  const stages = data.stages.length ? data.stages.map((stage) => stage.count) : [data.layers.length];
  const above = middles(stages, width), below = middles(data.student.stages, width);
  const each = (width - gap * (count - 1)) / count, middle = (pair) => pair * (each + gap) + each / 2;
  const tie = (pair, from, to) => draw("path", {
    class: "tie", "data-pair": pair, style: ofLayer(data, data.student.pairs[pair][0]).style, d: `M${from} 0C${from} 17 ${to} 17 ${to} 34`,
  });
  root.querySelector(".above").replaceChildren(...data.student.pairs.map(([layer], pair) => tie(pair, above[layer], middle(pair))));
  root.querySelector(".below").replaceChildren(...data.student.pairs.map(([, mate], pair) => tie(pair, middle(pair), below[mate])));
}

function press(seat, event) {
  const meeting = event.target.closest(".meeting"), mate = event.target.closest(".mate");
  if (meeting) {
    const pair = Number(meeting.dataset.pair);
    choose(seat, pair === seat.chosen ? null : pair);
  } else if (mate && seat.chosen !== null) {
    const { root, data, chosen } = seat;
    seat.send("guide", { hint: data.meetings[chosen].hint, guided: data.student.layers[mate.dataset.mate] });
    choose(seat, null);
    focus(root, chosen);
  }
}

const focus = (root, pair) => root.querySelector(`.meeting[data-pair="${pair}"]`)?.focus({ preventScroll: true });

function choose(seat, pair) {
  const { root, data } = seat;
  seat.chosen = pair;
  root.classList.toggle("choosing", pair !== null);
  for (const meeting of root.querySelectorAll(".meeting")) meeting.setAttribute("aria-checked", String(Number(meeting.dataset.pair) === pair));
  for (const mate of root.querySelectorAll(".mate")) pair === null ? mate.removeAttribute("tabindex") : mate.setAttribute("tabindex", 0);
  root.querySelector(".help").textContent = pair === null
    ? "To pair a hint point with another layer, click its pair, then the layer of the student."
    : `Which layer of the student is to imitate ${data.meetings[pair].hint}? Esc leaves it as it is.`;
}

function heat(seat, pair) {
  if (pair === seat.hot) return;
  seat.hot = pair;
  for (const drawn of seat.root.querySelectorAll("[data-pair]")) drawn.classList.toggle("hot", drawn.dataset.pair === pair);
}
