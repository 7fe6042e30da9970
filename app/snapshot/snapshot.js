// What is drawn in an element of the page as one SVG or PNG: colours, fonts and background as on the screen.

const SCALE = 2, EDGE = 12; // pixels of a PNG for each of the screen; room around the figure
const STYLES = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "opacity",
  "font-family", "font-size", "font-weight", "font-style", "text-anchor", "dominant-baseline", "paint-order"];
const NS = "http://www.w3.org/2000/svg";

export default function ({ data, parentElement }) {
  const says = parentElement.querySelector(".says");
  for (const button of parentElement.querySelectorAll("button")) {
    button.onclick = async () => {
      says.textContent = "";
      try {
        const picture = await snapshot(data, button.value);
        save(picture, `${data.name}.${button.value}`);
      } catch (problem) {
        says.textContent = `No picture: ${problem.message}`;
      }
    };
  }
}

async function snapshot({ figure, part }, format) {
  const host = document.querySelector(`.st-key-${CSS.escape(figure)}`);
  const parts = host ? drawings(host, part) : [];
  if (!parts.length) throw new Error("the figure is not on the page");
  const text = new XMLSerializer().serializeToString(compose(parts, colourBehind(host)));
  const vector = new Blob([text], { type: "image/svg+xml" });
  return format === "svg" ? vector : painted(text);
}

// All drawings below an element, those in shadow roots included; a drawing within another belongs to that one.
function drawings(host, part) {
  const found = [], look = (node) => {
    for (const one of node.querySelectorAll("*")) {
      if (one.shadowRoot) look(part ? one.shadowRoot.querySelector(part) ?? document.createElement("i") : one.shadowRoot);
      const size = one.getBoundingClientRect();
      const drawn = one instanceof HTMLCanvasElement || (one.localName === "svg" && !one.parentElement?.closest("svg"));
      if (drawn && size.width > 30 && size.height > 30 && !one.closest("button, .modebar")) found.push([one, size]);
    }
  };
  look(host);
  return found;
}

function compose(parts, background) {
  const left = Math.min(...parts.map(([, at]) => at.left)), top = Math.min(...parts.map(([, at]) => at.top));
  const width = Math.max(...parts.map(([, at]) => at.right)) - left + 2 * EDGE;
  const height = Math.max(...parts.map(([, at]) => at.bottom)) - top + 2 * EDGE;
  const picture = make("svg", { xmlns: NS, width, height, viewBox: `0 0 ${width} ${height}` });
  picture.append(make("rect", { width, height, fill: background }));
  for (const [drawn, at] of parts) {
    const place = { x: at.left - left + EDGE, y: at.top - top + EDGE, width: at.width, height: at.height };
    if (drawn.localName === "svg") {
      const copy = styled(drawn);
      for (const [name, value] of Object.entries({ ...place, overflow: "visible" })) copy.setAttribute(name, value);
      picture.append(copy);
    } else picture.append(make("image", { ...place, href: drawn.toDataURL() }));
  }
  return picture;
}

// A copy that needs no style sheet; what cannot be seen is left out.
function styled(drawing) {
  const copy = drawing.cloneNode(true), gone = [];
  const originals = [drawing, ...drawing.querySelectorAll("*")], copies = [copy, ...copy.querySelectorAll("*")];
  originals.forEach((one, index) => {
    const look = getComputedStyle(one), mine = copies[index];
    if (one.closest("defs")) return;
    if (look.display === "none" || look.visibility === "hidden" || look.opacity === "0") gone.push(mine);
    mine.removeAttribute("style");
    for (const name of STYLES) {
      const value = look.getPropertyValue(name);
      if (value) mine.style.setProperty(name, /^(fill|stroke)$/.test(name) ? plain(value) : value);
    }
    const area = one.style?.display; // plotly hides by display alone; the rest came from the style sheet
    if (area) mine.style.display = area;
  });
  gone.forEach((one) => one !== copy && one.remove());
  return copy;
}

// A colour as every program reads it: browsers write mixed ones as color(srgb ...).
const brush = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
const known = new Map();
function plain(colour) {
  if (!colour.startsWith("color")) return colour;
  if (!known.has(colour)) {
    brush.clearRect(0, 0, 1, 1);
    brush.fillStyle = colour;
    brush.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = brush.getImageData(0, 0, 1, 1).data;
    known.set(colour, `rgba(${red}, ${green}, ${blue}, ${(alpha / 255).toFixed(3)})`);
  }
  return known.get(colour);
}

function colourBehind(element) {
  for (let one = element; one; one = one.parentElement) {
    const colour = getComputedStyle(one).backgroundColor;
    if (colour !== "transparent" && !/, 0\)$/.test(colour)) return colour;
  }
  return "#fff";
}

function make(tag, attributes) {
  const element = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(attributes)) if (name !== "xmlns") element.setAttribute(name, value);
  return element;
}

async function painted(text) {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.width * SCALE, image.height * SCALE];
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}

function save(content, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
