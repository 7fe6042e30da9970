// The cards beside the points: the chosen image, its neighbours at two layers, the key to the colours.

const TILE = 50; // px

function tile({ data }, image, attributes = {}) {
  const right = data.labels[image] === data.answers[image];
  const about = `image ${image}: ${named(data, image)}`, row = Math.floor(image / data.across);
  const place = `--x: ${-TILE * (image % data.across)}px; --y: ${-TILE * row}px; --across: ${TILE * data.across}px`;
  const picture = make("span", { class: "picture", style: place });
  return make("button", { type: "button", class: `tile${right ? "" : " wrong"}`, "data-image": image, "aria-label": about, ...attributes },
    picture, make("span", { class: "name" }, data.classes[data.labels[image]]));
}

function named(data, image) {
  const [own, said] = [data.classes[data.labels[image]], data.classes[data.answers[image]]];
  return own === said ? own : `${own}, taken for ${said}`;
}

function drawImage(seat) {
  const { data, root, image } = seat, layer = data.layers[seat.layer];
  const sight = data.sight?.image === image ? data.sight : null, here = sight && data.look.layer === layer;
  const own = data.classes[data.labels[image]], said = data.classes[data.answers[image]];
  const judged = own === said ? "right" : "wrong";
  const figure = (about, inside) => make("figure", {}, inside, make("figcaption", {}, about));
  const blank = (kind, ...inside) => make("div", { class: `blank ${kind}` }, ...inside);
  const plain = sight ? make("img", { src: sight.picture, alt: `image ${image}` }) : blank("", tile(seat, image, { disabled: "" }));
  const heat = here && sight.heat ? make("img", { src: sight.heat, alt: `mean activation at ${layer}` })
    : data.trouble ? blank("", data.trouble) : here ? blank("", "this layer knows no places") : blank("waiting", "asking the teacher …");
  const answers = sight?.answers ?? [[said, null], ["…", null], ["…", null]];
  const line = ([name, share], place) => make("div", { class: "line" }, make("span", { class: "soft" }, place ? "then" : "the teacher's answer"),
    make("span", {}, name, share === null ? "" : sure(share)));
  card(root, ".about-image", make("header", {}, make("h3", {}, `Image ${image}`), make("span", { class: `badge ${judged}` }, judged)),
    make("div", { class: "pair" }, figure(sight ? "as the teacher gets it" : "probe image", plain), figure(`where ${layer} responds`, heat)),
    make("div", { class: "rows" }, make("div", { class: "line" }, make("span", { class: "soft" }, "class"), make("b", {}, own)), ...answers.map(line)));
}

const sure = (share) => make("span", { class: "sure" }, make("i", { class: "bar", style: `--share: ${share}` }), `${(100 * share).toFixed(1)} %`);
const card = (root, name, ...content) => root.querySelector(name).replaceChildren(...content);

function drawNear(seat) {
  const { data, root, image } = seat, near = root.querySelector(".near");
  show(near, data.layers, () => [
    make("header", {}, make("h3", {}, "Nearest images"), make("span", { class: "aside" }, "at two layers")),
    make("div", { class: "pair" }, ...["here", "beside"].map((side) => sideOf(data, side))),
    make("p", { class: "note" }, "Distance 1: what two images are apart on average."),
  ]);
  for (const [side, layer] of [["here", data.layers[seat.layer]], ["beside", data.look.beside]]) {
    const found = data.near[side], fresh = found.image === image && found.layer === layer;
    const own = found.images.filter((other) => data.labels[other.image] === data.labels[image]).length;
    const place = near.querySelector(`[data-side=${side}]`).parentElement;
    place.firstChild.value = layer;
    place.classList.toggle("stale", !fresh);
    show(place.querySelector(".tiles"), [data.across, found.images.map((other) => [other.image, named(data, other.image)])],
      () => found.images.map((other) => tile(seat, other.image)));
    place.lastChild.textContent = fresh ? `${own} of ${found.images.length} of its class · nearest at ${found.images[0]?.distance.toFixed(2) ?? "–"}` : "…";
    if (side === "here") seat.near = fresh ? found.images : [];
  }
}

const sideOf = (data, side) => make("div", { class: "side" },
  make("select", { "data-side": side, "aria-label": side === "here" ? "Neighbours at" : "Beside them, at" },
    ...data.layers.map((name) => make("option", { value: name }, name))),
  make("div", { class: "tiles" }), make("p", { class: "note" }));

function drawKeys(seat) {
  const { data, root } = seat, wrong = data.labels.filter((label, image) => label !== data.answers[image]).length;
  const soft = "var(--st-gray-color)", judged = data.look.colour === "answer";
  const entries = judged ? [[0, soft, `right (${data.labels.length - wrong})`], [1, WRONG, `wrong (${wrong})`]]
    : data.colours.length ? data.colours.map((colour, index) => [index, colour, data.classes[index]])
      : [[data.labels[seat.image], PLAIN, data.classes[data.labels[seat.image]]]];
  const key = ([value, colour, words]) => make("button", { type: "button", class: "key", "data-only": value },
    make("i", { style: `background: ${colour}` }), words);
  show(root.querySelector(".keys"), entries, () => entries.map(key));
  for (const drawn of root.querySelectorAll(".key")) drawn.setAttribute("aria-pressed", String(seat.only === Number(drawn.dataset.only)));
}
