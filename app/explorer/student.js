// The student below the depth strip: a curve leads from each hint point to the layer that imitates it.

const FALL = 40; // height of the curves

function drawStudent({ data, root }, width) {
  const { student } = data, place = root.querySelector(".pairs");
  root.querySelector(".depth h3").textContent = student ? "Depth and pairs" : "Depth";
  if (!student) return place.replaceChildren();
  const wrapped = root.querySelector(".strip").classList.contains("wrapped");
  const title = make("div", { class: "title" }, `student ${student.name}`);
  const row = make("div", { class: `mates ${wrapped ? "narrow" : ""}`, role: "list" }, ...mates(data, wrapped));
  place.replaceChildren(...(wrapped ? [title, row] : [curves(data, width), row, title]));
}

function mates(data, wrapped) {
  const { layers, labels, stages, pairs } = data.student, ends = stages.map((sum => (count) => sum += count)(0));
  const cells = layers.map((name, mate) => {
    const hints = pairs.filter((pair) => pair[1] === mate).map(([layer]) => layer);
    const says = hints.map((layer) => `${data.layers[layer]} (HP${data.hints.indexOf(layer) + 1})`).join(", ");
    const flags = hints.map((layer) => make("span", { ...ofLayer(data, layer), class: "flag" }, `HP${data.hints.indexOf(layer) + 1}`));
    const about = says ? `${name} imitates ${says}` : `${name}, guided by no hint point`;
    const roles = { class: says ? "mate guided" : "mate", role: "listitem", "data-mate": mate };
    return make("span", { ...roles, title: about, "aria-label": about },
      make("span", { class: "label" }, shorten(labels[mate], LONGEST)), ...(wrapped ? flags : []));
  });
  return stages.map((count, index) =>
    make("div", { class: "row", style: `--layers: ${count}` }, ...cells.slice(ends[index] - count, ends[index])));
}

function curves(data, width) {
  const stages = data.stages.length ? data.stages.map((stage) => stage.count) : [data.layers.length];
  const above = middles(stages, width), below = middles(data.student.stages, width), half = FALL / 2;
  const picture = draw("svg", { width, height: FALL, "aria-hidden": "true" });
  picture.append(...data.student.pairs.map(([layer, mate]) => draw("path", {
    class: "tie", style: ofLayer(data, layer).style,
    d: `M${above[layer]} 0C${above[layer]} ${half} ${below[mate]} ${half} ${below[mate]} ${FALL}`,
  })));
  return picture;
}

// Where the cells of a row have their middles: what the style sheet makes of the gaps, without laying it out.
function middles(stages, width) {
  const [apart, between] = [10, 3], all = stages.reduce((sum, count) => sum + count, 0);
  const room = width - apart * (stages.length - 1), found = [];
  let left = 0;
  for (const count of stages) {
    const wide = (room * count) / all, cell = (wide - between * (count - 1)) / count;
    for (let place = 0; place < count; place++) found.push(left + place * (cell + between) + cell / 2);
    left += wide + apart;
  }
  return found;
}
