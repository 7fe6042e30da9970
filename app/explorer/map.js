// The layers as points, alike ones near each other, joined in depth order.

const MARGIN = 26, BESIDE = 15;
const SIDES = {
  "middle right": [1, 0, "start"], "middle left": [-1, 0, "end"],
  "top center": [0, -1, "middle"], "bottom center": [0, 1, "middle"],
};

// Its box is what the facts leave, known once the browser has laid them out: to ask for it before would make
// the browser lay out the whole page a second time.
function drawMap(seat) {
  const { data, room: { width, height } } = seat, plot = seat.root.querySelector(".map .plot");
  if (!width) return;
  const at = fitted(data.positions, width, height);
  const picture = draw("svg", { width, height, role: "img", "aria-label": `Map of ${data.layers.length} layers` });
  const layers = data.layers.map((_, layer) => layer);
  picture.append(draw("polyline", { class: "path", points: at.join(" ") }));
  const onTop = [...layers.filter((layer) => !data.hints.includes(layer)), ...data.hints];
  const circle = (layer, kind, r) =>
    draw("circle", { ...ofLayer(data, layer, kind), cx: at[layer][0], cy: at[layer][1], r });
  // Larger, invisible circles below the points make these easy to hit with a finger.
  picture.append(...layers.map((layer) => circle(layer, "reach", 11)));
  picture.append(...onTop.map((layer) => circle(layer, "dot", data.hints.includes(layer) ? 9 : 5.5)));
  for (const layer of data.hints) {
    const [x, y] = at[layer], [right, down, anchor] = SIDES[data.sides[layer]];
    const place = { x: x + right * BESIDE, y: y + down * (BESIDE + 2), "text-anchor": anchor };
    picture.append(draw("text", { class: "name", ...place }, data.names[layer]));
  }
  plot.replaceChildren(picture);
}

// Scale positions into the box, the same both ways, the second coordinate upwards.
function fitted(positions, width, height) {
  const range = (axis) => {
    const values = positions.map((position) => position[axis]);
    return [Math.min(...values), Math.max(...values)];
  };
  const [left, right] = range(0), [low, high] = range(1);
  const across = (width - 2 * MARGIN - 40) / (right - left || 1), up = (height - 2 * MARGIN) / (high - low || 1);
  const scale = Math.min(across, up);
  const [x, y] = [(left + right) / 2, (low + high) / 2];
  return positions.map((one) => [width / 2 + (one[0] - x) * scale, height / 2 - (one[1] - y) * scale]);
}
