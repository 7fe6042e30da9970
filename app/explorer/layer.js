// What the views of layers share.

const SHADES = 255;

// What every drawing of a layer carries: its number, by which it is found, and the colour of its cluster.
function ofLayer(data, layer, kind = "") {
  const cluster = data.clusters[layer];
  const roles = ["layer", kind, data.hints.includes(layer) ? "hint" : ""].filter(Boolean);
  return {
    class: roles.join(" "),
    "data-layer": layer,
    style: `--cluster: ${data.colours[cluster]}; --ink: ${data.inks[cluster]}`,
  };
}

// Gives drawings of layers the colours and the part that these have now.
function dress(drawings, data) {
  for (const drawn of drawings.querySelectorAll("[data-layer]")) {
    const layer = Number(drawn.dataset.layer), { style } = ofLayer(data, layer);
    if (drawn.getAttribute("style") !== style) drawn.setAttribute("style", style);
    drawn.classList.toggle("hint", data.hints.includes(layer));
  }
}

const paletteOf = (host) => getComputedStyle(host).getPropertyValue("--st-chart-sequential-colors");

// The colours from 0 to 1 of the page's theme, [red, green, blue], as a function of a share.
function scaleOf(palette) {
  const brush = document.createElement("canvas").getContext("2d");
  const stops = palette.split(",").map((colour) => {
    brush.fillStyle = colour.trim();
    return [1, 3, 5].map((place) => parseInt(brush.fillStyle.slice(place, place + 2), 16));
  });
  const shades = Array.from({ length: SHADES + 1 }, (_, step) => {
    const at = (step / SHADES) * (stops.length - 1), low = stops[Math.floor(at)], high = stops[Math.ceil(at)];
    return low.map((channel, i) => Math.round(channel + (high[i] - channel) * (at % 1)));
  });
  return (share) => shades[Math.round(Math.min(1, Math.max(0, share)) * SHADES)];
}

const shorten = (text, letters) => (text.length <= letters ? text
  : text.slice(0, letters / 2) + "…" + text.slice(text.length - Math.floor((letters - 1) / 2)));
const widest = (names) => Math.max(...names.map((name) => name.length));
const number = (value, digits = 3) => value.toFixed(digits).replace("-", "−");
const signed = (value) => ["−", "±", "+"][1 + Math.sign(Math.round(1000 * value))] + Math.abs(value).toFixed(3);
