// The matrix of similarities on a canvas; above it the tree, whose cut can be dragged.

const TREE = 104, ABOVE = 12, LETTER = 5.9, TALLEST = 620, WIDEST_ROW = 46, SMALLEST = 280;

function drawMatrix(seat, width) {
  const { data, root } = seat, plot = root.querySelector(".matrix .plot"), byTree = data.look.order === "dendrogram";
  const order = byTree ? data.order : data.layers.map((_, layer) => layer);
  const box = measure(width, order, byTree, data), palette = paletteOf(root);
  show(plot, [palette, box, order, data.similarity, data.scale, data.metric], () => {
    const shade = scaleOf(palette);
    return [paintCells(data, shade, order, box), picture(data, order, box), legend(data, shade, box)];
  });
  const { branches, colours, cut, cuts, fixed } = data, tree = plot.querySelector(".tree");
  show(tree, [byTree, branches, colours, cut, cuts, fixed], () =>
    (byTree ? [...paths(data, box), cutHandle(seat, box)] : []));
  dress(plot, data);
  seat.matrix = { plot, order, box, place: new Map(order.map((layer, place) => [layer, place])) };
}

function picture(data, order, box) {
  const bars = ["hot row", "hot column", "picked row", "picked column"].map((kind) =>
    draw("rect", { class: `bar ${kind}`, rx: 2, visibility: "hidden" }));
  const leaf = (layer, place) => draw("rect", { ...ofLayer(data, layer, "leaf"), y: ABOVE, height: TREE,
    x: box.left + place * box.row, width: box.row });
  return draw("svg", {
    width: box.width, height: box.height, role: "group",
    "aria-label": `${data.metric} similarity of ${order.length} layers`,
  }, ...order.flatMap((layer, place) => rowHead(data, layer, place, box)),
  draw("rect", { class: "cells", x: box.left, y: box.top, width: box.side, height: box.side }),
  ...bars, ...(box.top > TREE ? order.map(leaf) : []), draw("g", { class: "tree" }));
}

function measure(width, order, byTree, data) {
  const letters = Math.floor((0.3 * width) / LETTER);
  const names = (widest(data.layers) <= letters ? data.layers : data.labels).map((name) => shorten(name, letters));
  const left = Math.ceil(widest(names) * LETTER) + 14;
  const top = byTree ? ABOVE + TREE : 4, right = byTree ? 50 : 4;
  const room = Math.max(width - left - right, order.length); // before the page is laid out there may be none
  const row = Math.min(room / order.length, TALLEST / order.length, Math.max(WIDEST_ROW, SMALLEST / order.length));
  const side = row * order.length;
  return { width, left, top, row, side, names, height: top + side + 2 };
}

// One pixel a cell, enlarged: thousands of rectangles of a colour each take ten times as long.
function paintCells(data, shade, order, box) {
  const canvas = make("canvas", { "aria-hidden": "true" }), sharp = window.devicePixelRatio || 1, count = order.length;
  canvas.width = canvas.height = Math.round(box.side * sharp);
  canvas.style.cssText = `left:${box.left}px;top:${box.top}px;width:${box.side}px;height:${box.side}px`;
  const small = make("canvas", { width: count, height: count }), brush = small.getContext("2d");
  const pixels = brush.createImageData(count, count), [low, high] = data.scale;
  order.forEach((row, i) => order.forEach((column, j) => {
    pixels.data.set([...shade((data.similarity[row][column] - low) / (high - low)), 255], 4 * (i * count + j));
  }));
  brush.putImageData(pixels, 0, 0);
  const wide = canvas.getContext("2d"), gap = box.row > 7 ? Math.round(sharp) : 0;
  wide.imageSmoothingEnabled = false;
  wide.drawImage(small, 0, 0, canvas.width, canvas.width);
  for (let place = 1; gap && place <= count; place++) {
    const edge = Math.round((place * canvas.width) / count) - gap;
    wide.clearRect(edge, 0, gap, canvas.width);
    wide.clearRect(0, edge, canvas.width, gap);
  }
  return canvas;
}

function rowHead(data, layer, place, box) {
  const middle = box.top + (place + 0.5) * box.row, crowded = box.row < 8 ? "crowded" : "";
  const name = draw("text", {
    ...ofLayer(data, layer, crowded), x: box.left - 10, y: middle,
    "font-size": Math.min(11, Math.max(8.5, box.row - 0.5)),
  }, box.names[layer]);
  const strip = { x: box.left - 7, y: middle - box.row / 2, width: 4, height: Math.max(1, box.row - 1), rx: 1.5 };
  return [name, draw("rect", { ...ofLayer(data, layer, "swatch"), ...strip })];
}

const heightOf = (data, box, level) => ABOVE + TREE - 2 - (level / data.cuts[0]) * (TREE - 2);

// One path for all branches of a colour.
function paths(data, box) {
  const x = (place) => box.left + (place + 0.5) * box.row, y = (level) => heightOf(data, box, level), byColour = new Map();
  for (const { at, heights, height, cluster } of data.branches) {
    const bracket = `M${x(at[0])} ${y(heights[0])}V${y(height)}H${x(at[1])}V${y(heights[1])}`;
    byColour.set(cluster, (byColour.get(cluster) ?? "") + bracket);
  }
  return [...byColour].map(([cluster, d]) =>
    draw("path", { class: "branch", d, style: cluster === null ? null : `stroke: ${data.colours[cluster]}` }));
}

// K = 1 + the merges above the line: what a cut there leaves. Released, it asks the server for that K.
function cutHandle(seat, box) {
  const { data } = seat, most = data.layers.length, end = box.left + box.side;
  const says = draw("text", { class: "k", x: end + 16, y: 0 });
  const handle = draw("g", {
    class: ["cut", data.cut === null ? "foreign" : "", data.fixed ? "fixed" : ""].join(" "), role: "slider",
    tabindex: data.fixed ? null : 0, "aria-disabled": data.fixed,
    "aria-label": "Number of clusters K", "aria-valuemin": 1, "aria-valuemax": most,
  }, draw("rect", { x: box.left, y: -9, width: box.side + 48, height: 18 }),
  draw("line", { x1: box.left, x2: end, y1: 0, y2: 0 }), draw("circle", { cx: end + 6, cy: 0, r: 6 }), says);
  let count = data.colours.length;
  const put = (clusters, level = data.cuts[clusters - 1]) => {
    count = clusters;
    handle.setAttribute("transform", `translate(0 ${heightOf(data, box, level)})`);
    handle.setAttribute("aria-valuenow", clusters);
    says.textContent = `K ${clusters}`;
  };
  put(count);
  if (data.fixed) return handle;
  let asked = count; // before the answer is there, it may be asked for what stands in the data
  const ask = () => count !== asked && seat.send("clusters", (asked = count));
  handle.onpointerdown = (event) => {
    event.preventDefault();
    handle.setPointerCapture(event.pointerId);
    handle.classList.add("dragged");
  };
  handle.onpointermove = (event) => {
    if (!handle.classList.contains("dragged")) return;
    const y = event.clientY - handle.ownerSVGElement.getBoundingClientRect().top;
    const share = (ABOVE + TREE - 2 - y) / (TREE - 2);
    const level = data.cuts[0] * Math.min(1, Math.max(0, share));
    put(1 + data.branches.filter((branch) => branch.height > level).length, level);
  };
  handle.onpointerup = handle.onpointercancel = () => {
    if (!handle.classList.contains("dragged")) return;
    handle.classList.remove("dragged");
    put(count);
    ask();
  };
  handle.onkeydown = (event) => {
    const step = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, Home: -most, End: most }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    put(Math.min(most, Math.max(1, count + step)));
    seat.later("clusters", ask);
  };
  return handle;
}

function legend(data, shade, box) {
  const stops = [0, 0.25, 0.5, 0.75, 1].map((share) => `rgb(${shade(share)})`);
  return make("div", { class: "legend", style: `margin-left: ${box.left}px` },
    make("span", {}, number(data.scale[0], 1)),
    make("i", { style: `background: linear-gradient(to right, ${stops})` }),
    make("span", {}, number(data.scale[1], 1)), make("span", {}, `${data.metric} (1 = same)`));
}

// Lay the two bars of a kind over a row and a column; without layers they vanish.
function crossMatrix({ matrix }, kind, row, column) {
  const { plot, box, place } = matrix;
  const [across, down] = ["row", "column"].map((way) => plot.querySelector(`.bar.${kind}.${way}`));
  for (const [bar, layer] of [[across, row], [down, column]]) {
    bar.setAttribute("visibility", layer === null ? "hidden" : "visible");
    if (layer === null) continue;
    const from = place.get(layer) * box.row, flat = bar === across;
    const at = flat ? { x: box.left, y: box.top + from } : { x: box.left + from, y: box.top };
    const size = flat ? { width: box.side, height: box.row } : { width: box.row, height: box.side };
    fill(bar, { ...at, ...size }, []);
  }
}

// The two layers of the cell under the pointer, [row, column], or null.
function cellUnder({ matrix }, event) {
  const { plot, order, box } = matrix, at = plot.getBoundingClientRect();
  const row = order[Math.floor((event.clientY - at.top - box.top) / box.row)];
  const column = order[Math.floor((event.clientX - at.left - box.left) / box.row)];
  return row === undefined || column === undefined ? null : [row, column];
}
