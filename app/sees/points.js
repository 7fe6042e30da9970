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

// What an image's colour says: its class, or whether the teacher is right; of more classes than there are
// colours, only the one of the chosen image stands out.
function looksOf({ data, image }, soft) {
  const judged = data.look.colour === "answer", many = !judged && !data.colours.length;
  const group = (one) => judged ? Number(data.labels[one] !== data.answers[one]) : data.labels[one];
  const stands = (one) => judged ? group(one) === 1 : !many || group(one) === group(image);
  const colour = (one) => !stands(one) ? soft : judged ? WRONG : many ? PLAIN : data.colours[group(one)];
  return { group, stands, colour, grows: judged || many };
}

function paint(seat) {
  const { root, image } = seat, canvas = root.querySelector("canvas"), box = canvas.parentElement;
  const width = box.clientWidth, height = box.clientHeight, sharp = window.devicePixelRatio || 1;
  if (!width || !height) return;
  const style = getComputedStyle(root), brush = canvas.getContext("2d"), shade = (name) => style.getPropertyValue(`--st-${name}-color`);
  const { group, stands, colour, grows } = looksOf(seat, shade("gray")), size = seat.data.labels.length > 1200 ? 3 : 4;
  [canvas.width, canvas.height] = [width, height].map((side) => Math.round(side * sharp)); // this also clears it
  brush.scale(sharp, sharp);
  seat.spots = placesAt(seat, seat.depth, width, height);
  const circle = (one, radius, looks) => {
    Object.assign(brush, looks).beginPath();
    brush.arc(...seat.spots[one], radius, 0, 2 * Math.PI);
    looks.fillStyle ? brush.fill() : brush.stroke();
  };
  const ring = (one, radius, lineWidth) => {
    circle(one, radius, { globalAlpha: 1, strokeStyle: shade("background"), lineWidth: lineWidth + 2 });
    circle(one, radius, { strokeStyle: shade("text"), lineWidth });
  };
  for (const onTop of [false, true]) {
    seat.spots.forEach((_, one) => {
      if (stands(one) !== onTop) return;
      const dim = seat.only !== null && seat.only !== group(one);
      circle(one, onTop && grows ? size + 1 : size, { fillStyle: colour(one), globalAlpha: dim ? 0.08 : onTop ? 0.85 : 0.4 });
    });
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
