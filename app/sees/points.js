// The probe images as points, between two layers where they are on their way from one to the other.

const EDGE = 14, REACH = 14; // px: margin of the plot; how near the pointer must come to a point
const WRONG = "#e07b39", PLAIN = "#3b6fd4";

// Two bytes a coordinate, layer by layer, as Python packed them.
function unpacked(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)), view = new DataView(bytes.buffer);
  return Float32Array.from({ length: bytes.length / 2 }, (_, i) => view.getUint16(2 * i, true) / 65535);
}

// Where every image is at a depth such as 3.4: that share of the way from layer 3 to layer 4.
function placesAt({ data, places }, depth, width, height) {
  const count = data.labels.length, low = Math.floor(depth), high = Math.min(low + 1, data.layers.length - 1);
  const side = Math.min(width, height) - 2 * EDGE, left = (width - side) / 2, top = (height - side) / 2;
  return Array.from({ length: count }, (_, image) => [0, 1].map((axis) => {
    const [from, to] = [low, high].map((layer) => places[2 * (layer * count + image) + axis]);
    const at = from + (to - from) * (depth - low);
    return axis ? top + (1 - at) * side : left + at * side;
  }));
}

function colourOf({ data, image }, one, soft) {
  if (data.look.colour === "answer") return data.labels[one] === data.answers[one] ? soft : WRONG;
  if (data.colours.length) return data.colours[data.labels[one]];
  return data.labels[one] === data.labels[image] ? PLAIN : soft; // more classes than colours
}

function paint(seat) {
  const { root, data, image } = seat, canvas = root.querySelector("canvas"), box = canvas.parentElement;
  const width = box.clientWidth, height = box.clientHeight, sharp = window.devicePixelRatio || 1;
  if (!width || !height) return;
  if (canvas.width !== Math.round(width * sharp) || canvas.height !== Math.round(height * sharp)) {
    [canvas.width, canvas.height] = [Math.round(width * sharp), Math.round(height * sharp)];
  }
  const style = getComputedStyle(root), brush = canvas.getContext("2d");
  const text = style.getPropertyValue("--st-text-color"), page = style.getPropertyValue("--st-background-color");
  const soft = style.getPropertyValue("--st-gray-color") || "#8f97ad";
  seat.spots = placesAt(seat, seat.depth, width, height);
  brush.setTransform(sharp, 0, 0, sharp, 0, 0);
  brush.clearRect(0, 0, width, height);
  const dot = (one, radius, colour, share) => {
    brush.globalAlpha = share;
    brush.fillStyle = colour;
    brush.beginPath();
    brush.arc(...seat.spots[one], radius, 0, 2 * Math.PI);
    brush.fill();
  };
  const ring = (one, radius, wide) => {
    for (const [colour, line] of [[page, wide + 2], [text, wide]]) {
      Object.assign(brush, { globalAlpha: 1, strokeStyle: colour, lineWidth: line });
      brush.beginPath();
      brush.arc(...seat.spots[one], radius, 0, 2 * Math.PI);
      brush.stroke();
    }
  };
  const size = seat.spots.length > 1200 ? 3 : 4;
  const judged = data.look.colour === "answer", order = seat.spots.map((_, one) => one);
  const loud = (one) => judged ? data.labels[one] !== data.answers[one] : !data.colours.length && colourOf(seat, one, "") !== "";
  for (const one of [...order.filter((one) => !loud(one)), ...order.filter(loud)]) {
    const dim = seat.only !== null && seat.only !== (judged ? Number(loud(one)) : data.labels[one]);
    const quiet = (judged || !data.colours.length) && !loud(one);
    dot(one, loud(one) ? size + 1 : size, colourOf(seat, one, soft), dim ? 0.08 : quiet ? 0.4 : 0.85);
  }
  for (const { image: other } of seat.near ?? []) ring(other, size + 2, 1);
  ring(image, size + 4, 2.5);
  if (seat.hot !== null && seat.hot !== image) ring(seat.hot, size + 3, 2);
}

// The image under the pointer, if one is near enough.
function imageUnder(seat, event) {
  const box = seat.root.querySelector("canvas").getBoundingClientRect();
  const x = event.clientX - box.left, y = event.clientY - box.top;
  let [best, least] = [null, REACH];
  seat.spots.forEach(([left, top], one) => {
    const away = Math.hypot(left - x, top - y);
    if (away < least) [best, least] = [one, away];
  });
  return best;
}
