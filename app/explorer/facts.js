// What is known of the selected layer, and what can be done with it; without one, the plan in short.

function drawFacts(seat) {
  const { data, selected, root } = seat, card = root.querySelector(".facts");
  card.replaceChildren(...(selected === null ? planInShort(data) : layerInFull(seat, data, selected)));
}

function planInShort(data) {
  const chosen = data.hints.map((layer, place) => row(
    make("span", { class: "flag", style: ofLayer(data, layer).style }, `HP${place + 1}`), named(data, layer),
    soft(`cluster ${data.letters[layer]} · ${several(data.facts[layer].cluster_size, "layer")}`)));
  const title = `${several(data.hints.length, "hint point")} for ${several(data.layers.length, "layer")}`;
  return [
    make("header", {}, make("h3", {}, title)), make("div", { class: "rows scrolled" }, ...chosen),
    make("div", { class: "rows" }, row("coverage", make("b", {}, number(data.coverage)))),
    make("p", { class: "help" },
      "Point at a layer to find it in every view, click it to see what is known of it. ", key("←"), key("→"),
      " walk through the layers, ", key("Enter"), " makes one a hint point or none, ", key("Esc"), " ends."),
  ];
}

function layerInFull(seat, data, layer) {
  const facts = data.facts[layer], hint = data.hints.includes(layer);
  const own = facts.cluster_similarity === null ? ["alone in it"]
    : [number(facts.cluster_similarity), soft(`mean of ${facts.cluster_size - 1}`)];
  const lines = [
    ["similarity to its cluster", ...own],
    ["most alike", ...likenesses(data, facts.most_like)],
    ["least alike", ...likenesses(data, facts.least_like)],
    ["chosen among resamples", ...share(data, layer, facts.chosen)],
  ];
  const images = Math.round(facts.images_per_feature);
  if (facts.rank !== null) lines.push(["rank · images per channel", `${facts.rank} of ${facts.width} · ${images}`]);
  if (facts.swap) {
    const { hint: gives, layer: takes, change } = facts.swap;
    const other = named(data, data.layers.indexOf(hint ? takes : gives));
    const said = hint ? ["with ", other, " of its cluster"] : ["in place of ", other];
    lines.push([make("span", {}, ...said), make("b", {}, `coverage ${signed(change)}`)]);
  }
  const badge = { ...ofLayer(data, layer), class: hint ? "badge solid" : "badge" };
  return [
    make("header", {}, make("h3", { class: "long" }, data.layers[layer]),
      make("span", badge, data.standings[layer])),
    make("p", { class: "soft about" }, data.abouts[layer]),
    make("div", { class: "rows" }, ...lines.map((line) => row(...line))),
    facts.note ? make("p", { class: "warn" }, facts.note) : "",
    make("div", { class: "deeds" }, ...deeds(seat, layer, hint, facts.swap)), noteField(seat, layer),
  ];
}

function deeds(seat, layer, hint, swap) {
  const { data } = seat, name = data.layers[layer];
  const button = (text, event, value, extra = {}) => {
    const made = make("button", { type: "button", ...extra }, text);
    made.onclick = () => seat.send(event, value);
    return made;
  };
  if (hint) {
    const last = data.hints.length === 1 ? { disabled: "", title: "The last one stays" } : {};
    return [button("Remove hint point", "toggle", name, last)];
  }
  const add = button("Add hint point", "toggle", name, { class: "main" });
  return swap ? [add, button(`Move ${shorten(swap.hint, 16)} here`, "move", { from: swap.hint, to: name })] : [add];
}

// The reason goes with a change in the plan, so there is a place for it once the layer was changed.
function noteField(seat, layer) {
  const { data } = seat, name = data.layers[layer], changed = name in data.notes;
  const field = make("input", {
    type: "text", maxlength: 300, "aria-label": `Your reason for ${name}`, disabled: changed ? null : "",
    placeholder: changed ? "Your reason, kept in the plan" : "As the clusters chose it: no reason needed",
  });
  field.value = seat.typed?.name === name ? seat.typed.text : data.notes[name] ?? "";
  field.oninput = () => { seat.typed = { name, text: field.value }; };
  field.onchange = () => {
    seat.typed = null;
    data.notes[name] = field.value;
    seat.send("note", { layer: name, why: field.value });
  };
  return field;
}

const soft = (...words) => make("span", { class: "soft" }, ...words);
const row = (label, ...values) => make("div", { class: "line" }, soft(label),
  make("span", {}, ...values.flatMap((value) => [value, " "])));
const several = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;
const key = (name) => make("kbd", {}, name);
const likenesses = (data, found) => found.map(([name, value]) =>
  make("span", { class: "likeness" }, named(data, data.layers.indexOf(name)), ` ${number(value, 2)}`));
const named = (data, layer) => make("button", { ...ofLayer(data, layer, "link"), type: "button" }, data.layers[layer]);

function share(data, layer, chosen) {
  if (chosen === null) return [soft("not measured: see “How sure?”")];
  const bar = make("i", { class: "bar", style: `${ofLayer(data, layer).style}; --share: ${chosen}` });
  return [bar, make("b", {}, `${Math.round(100 * chosen)} %`)];
}
