// One panel: heading, legend with the values, axes, levels, lines.

const GUTTER = { left: 44, right: 12, top: 8, bottom: 20 };

function drawPanel(seat, panel, card) {
  card.className = `card ${panel.tall ? "tall" : "small"}`;
  card.style.setProperty("--width", panel.width);
  card.querySelector("header").replaceChildren(
    ...(panel.badge ? [make("span", { class: "badge", style: `--colour: ${panel.colour}` }, panel.badge)] : []),
    make("h3", {}, panel.title), make("span", { class: "aside" }, panel.aside));
  drawLegend(seat, panel, card.querySelector(".legend"));
  const plot = card.querySelector(".plot");
  if (!panel.lines.length) return plot.replaceChildren(make("div", { class: "nothing" }, panel.empty));
  const scale = scaleOf(seat, panel, plot), lines = panel.lines.filter((line) => !seat.hidden.has(keyOf(line)));
  seat.scales.set(panel.id, scale);
  const about = panel.lines.map((line) => `${line.name} ${figure(line.last, panel.unit)}`).join(", ");
  const svg = plot.querySelector("svg") ?? draw("svg", { role: "img" }); // stays: it may be pointed at
  svg.setAttribute("aria-label", `${panel.title}: ${about}`);
  svg.replaceChildren(
    caption(scale, panel),
    ...axes(scale, panel),
    ...panel.marks.map((mark) => level(scale, mark)),
    // A drawing in the drawing: what lies outside of the axes is cut off.
    draw("svg", { x: scale.left, y: 0, width: scale.inner, height: scale.bottom, viewBox: `${scale.left} 0 ${scale.inner} ${scale.bottom}` },
      ...lines.map((line) => draw("path", { class: `line ${line.bold ? "bold" : ""}`, style: `--colour: ${line.colour}`, d: pathOf(line, scale) }))),
    ...lines.filter((line) => line.end >= scale.from && line.end <= scale.to).map((line) => draw("circle", {
      class: "dot", r: 4, style: `--colour: ${line.colour}`, cx: scale.x(line.end), cy: scale.y(line.last) })),
    draw("g", { class: "over" }));
  if (!svg.isConnected) plot.replaceChildren(svg);
}

// Heading and legend in one line above the drawing: cut off on the page, which has them in words of its own, and
// there in a picture that is saved.
function caption(scale, panel) {
  const names = panel.lines.map((line) => draw("tspan", { dx: 10, style: `fill: ${line.colour}` }, `● ${line.name}`));
  return draw("text", { class: "caption", x: scale.left, y: -3 }, `${panel.badge} ${panel.title}`.trim(), ...names);
}

function drawLegend(seat, panel, legend) {
  const names = panel.lines.map((line) => `${line.name} ${line.colour} ${seat.hidden.has(keyOf(line))}`).join("\n");
  if (legend.dataset.names === names) return; // a button that is replaced under the pointer loses its click
  legend.dataset.names = names;
  legend.replaceChildren(...panel.lines.map((line) => make("button", {
    type: "button", "data-line": keyOf(line), "aria-pressed": String(!seat.hidden.has(keyOf(line))), title: line.name,
  }, make("i", { style: `--colour: ${line.colour}` }), make("span", { class: "name" }, line.name), make("b", {}))));
}

function scaleOf(seat, panel, plot) {
  const width = Math.max(80, plot.clientWidth), height = Math.max(80, plot.clientHeight);
  const [from, to] = spanOf(seat), left = GUTTER.left, inner = width - left - GUTTER.right;
  const bottom = height - GUTTER.bottom, [low, high] = rangeOf(seat, panel, from, to);
  const x = (epoch) => left + ((epoch - from) / (to - from)) * inner;
  const y = (value) => bottom - ((value - low) / (high - low)) * (bottom - GUTTER.top);
  return { from, to, low, high, left, inner, bottom, width, x, y, lines: panel.lines, unit: panel.unit };
}

// From the least to the greatest value that is seen, with the levels to compare with and the floor.
function rangeOf(seat, panel, from, to) {
  let low = Infinity, high = -Infinity;
  for (const line of panel.lines) {
    if (seat.hidden.has(keyOf(line))) continue;
    for (let i = 0; i < line.x.length; i++) {
      if (line.x[i + 1] < from || line.x[i - 1] > to) continue;
      if (line.y[i] < low) low = line.y[i];
      if (line.y[i] > high) high = line.y[i];
    }
  }
  if (!seat.view) for (const { value } of panel.marks) [low, high] = [Math.min(low, value), Math.max(high, value)];
  if (low === Infinity) [low, high] = [0, 1];
  if (panel.floor !== null && !seat.view) low = Math.min(low, panel.floor);
  const room = (high - low || Math.abs(high) || 1) * 0.06;
  return [low === panel.floor ? low : low - room, high + room];
}

function axes(scale, panel) {
  const rows = ticks(scale.low, scale.high, panel.tall ? 5 : 3), unit = panel.unit && ` ${panel.unit}`;
  const columns = ticks(scale.from, scale.to, Math.max(2, Math.floor(scale.inner / 80)));
  return [
    draw("g", { class: "y" }, ...rows.flatMap((value) => [
      draw("line", { class: "grid", x1: scale.left, x2: scale.left + scale.inner, y1: scale.y(value), y2: scale.y(value) }),
      draw("text", { x: scale.left - 6, y: scale.y(value) }, tidy(value) + unit)])),
    draw("g", { class: "x" }, ...columns.map((epoch) =>
      draw("text", { x: scale.x(epoch), y: scale.bottom + 15 }, tidy(epoch)))),
  ];
}

function level(scale, { value, name }) {
  const y = scale.y(value), above = y - 6 < 12 ? y + 14 : y - 6;
  return draw("g", { class: "mark" },
    draw("line", { x1: scale.left, x2: scale.left + scale.inner, y1: y, y2: y }),
    draw("text", { x: scale.left + 4, y: above }, name));
}

function pathOf(line, scale) {
  const steps = new Array(line.x.length);
  for (let i = 0; i < line.x.length; i++) steps[i] = `${scale.x(line.x[i]).toFixed(1)} ${scale.y(line.y[i]).toFixed(1)}`;
  return steps.length ? `M${steps.join("L")}` : "";
}

// Round values between two ends, about as many as asked for.
function ticks(low, high, count) {
  const rough = (high - low) / count, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough);
  const first = Math.ceil(low / step - 1e-9);
  return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, i) => (first + i) * step);
}

function nearest(places, epoch) {
  let low = 0, high = places.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (places[middle] < epoch) low = middle + 1; else high = middle;
  }
  return low > 0 && epoch - places[low - 1] < places[low] - epoch ? low - 1 : low;
}

const keyOf = (line) => `${line.colour} ${line.name}`;
const tidy = (value) => String(Number(value.toPrecision(4))).replace("-", "−");
const figure = (value, unit) => (unit === "%" ? `${value.toFixed(2)} %` : tidy(value) + (unit && ` ${unit}`));
