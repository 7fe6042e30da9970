// One cell a layer in depth order; the list that the keyboard walks.

const LONGEST = 18; // letters of a name that a cell shows
const FLAG = 36, DIGIT = 6; // px of a flag such as HP1, and of one more digit

function drawStrip({ data, root }, width) {
  const strip = root.querySelector(".strip");
  const stands = density(data, width), least = Math.max(32, 7 * longest(data) + 8);
  const beside = data.hints.some((layer) => data.hints.includes(layer + 1)), room = FLAG + DIGIT * (data.hints.length > 9);
  const tight = beside && (stands === "wrapped" ? least : width / data.layers.length) < room;
  strip.style.setProperty("--cell", `${least}px`);
  strip.className = `strip ${stands} ${tight ? "tight" : ""}`;
  show(strip, [data.layers, data.labels, data.stages], () => stages(data));
  strip.querySelectorAll(".cell").forEach((cell, layer) => {
    const place = data.hints.indexOf(layer);
    cell.ariaLabel = `${data.layers[layer]}, ${data.standings[layer]}`;
    show(cell.querySelector(".flag"), [place, tight], () => (place < 0 ? [] : [`${tight ? "" : "HP"}${place + 1}`]));
  });
  dress(strip, data);
  root.querySelector(".depth .note").textContent = data.left_out.length
    ? `Not compared, because nothing varies in them: ${data.left_out.join(", ")}` : "";
}

function stages(data) {
  const all = data.stages.length ? data.stages : [{ first: 0, count: data.layers.length, shape: "" }];
  return all.map(({ first, count, shape }, index) => {
    const title = shape && `stage ${index + 1} · ${shape}`;
    const cells = Array.from({ length: count }, (_, offset) => cell(data, first + offset));
    return make("div", { class: "stage", role: "group", "aria-label": title, style: `--layers: ${count}` },
      make("div", { class: "title", title }, title), make("div", { class: "row" }, ...cells));
  });
}

const cell = (data, layer) =>
  make("div", { ...ofLayer(data, layer, "cell"), role: "option", tabindex: -1, "aria-selected": "false" },
    make("span", { class: "label" }, shorten(data.labels[layer], LONGEST)), make("span", { class: "flag" }));

// How the names stand: side by side, upright where cells are narrow, in several rows where they are too narrow.
function density(data, width) {
  const each = width / data.layers.length;
  if (each >= Math.max(26, 7 * longest(data) + 6)) return "wide";
  return each >= 18 && longest(data) <= 14 ? "upright" : "wrapped";
}

const longest = (data) => Math.min(LONGEST, widest(data.labels));
