// The student's card.

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".report"), find = (part) => root.querySelector(part);
  find(".said").replaceChildren(...data.said.map(({ label, value, note }) =>
    make("div", {}, make("span", {}, label), make("b", {}, value), make("span", {}, note))));
  find("h4").textContent = data.taught ? "Each class: change against the teacher, with its 95 % interval"
    : "Each class: share of right answers, with its 95 % interval";
  find(".classes").replaceChildren(classesOf(data));
  const choice = find(".choice"), show = (of) => {
    for (const button of choice.children) button.setAttribute("aria-pressed", String(button.value === of));
    find(".confusions").replaceChildren(data.matrix ? matrixOf(data, of) : listOf(data));
  };
  choice.hidden = !(data.taught && data.matrix);
  choice.style.display = choice.hidden ? "none" : "";
  choice.onclick = (event) => event.target.value && show(event.target.value);
  show("student");
  find(".apart").textContent = data.disagreements.length
    ? (data.taught ? "Images on which the student and its teacher disagree" : "Images that the student gets wrong") : "";
  find(".images").replaceChildren(...data.disagreements.map(pictureOf));
}

const percent = (share) => (share === null ? "–" : `${(100 * share).toFixed(1)}`);
const points = (share) => `${share < 0 ? "−" : "+"}${Math.abs(100 * share).toFixed(1)}`;
const row = (kind, ...texts) => make("tr", {}, ...texts.map((text) => (text instanceof Node ? text : make(kind, {}, text))));

function classesOf({ classes, taught }) {
  const ends = taught ? ["change_low", "change_high", "change"] : ["low", "high", "student"];
  const low = Math.min(taught ? 0 : 1, ...classes.map((one) => one[ends[0]]));
  const high = Math.max(0, ...classes.map((one) => one[ends[1]]));
  const at = (value) => `${(100 * (value - low)) / (high - low || 1)}%`;
  const drawn = (one) => {
    const [from, to, value] = ends.map((end) => one[end]);
    const tone = !taught ? "var(--st-primary-color)" : to < 0 ? "var(--worse)" : from > 0 ? "var(--better)" : "var(--soft)";
    return make("td", { class: "span", style: `--tone: ${tone}`, title: `${points(from)} to ${points(to)}` },
      ...(taught ? [make("s", { style: `left: ${at(0)}` })] : []),
      make("i", { style: `left: ${at(from)}; right: calc(100% - ${at(to)})` }), make("u", { style: `left: ${at(value)}` }));
  };
  return make("table", {}, taught ? row("th", "class", "images", "teacher", "student", "points", "") : row("th", "class", "images", "student", ""),
    ...classes.map((one) => taught
      ? row("td", one.name, String(one.n), percent(one.teacher), percent(one.student), points(one.change), drawn(one))
      : row("td", one.name, String(one.n), percent(one.student), drawn(one))));
}

function matrixOf({ matrix, names }, of) {
  const rows = matrix[of].map((counts, is) => {
    const all = counts.reduce((sum, count) => sum + count, 0) || 1;
    return row("td", make("th", { title: names[is] }, names[is]), ...counts.map((count, taken) => {
      const share = (100 * count) / all, tone = is === taken ? "var(--st-primary-color)" : "var(--worse)";
      const shown = is === taken ? share : Math.min(100, 12 + 4 * share);
      return make("td", {
        class: count ? (shown > 55 ? "strong" : "") : "zero", style: `--share: ${count ? shown : 0}; --tone: ${tone}`,
        title: `${names[is]} taken for ${names[taken]}: ${count} of ${all}`,
      }, String(count));
    }));
  });
  return make("table", { class: "matrix" }, make("caption", {}, "rows: what it is · columns: what it is taken for"), row("th", "",
    ...names.map((name) => make("th", { title: name }, name))), ...rows);
}

function listOf({ confusions, taught }) {
  return make("table", {}, row("th", "is", "taken for", "student", ...(taught ? ["teacher"] : [])),
    ...confusions.map((one) => row("td", one.is, one.taken, String(one.student), ...(taught ? [String(one.teacher)] : []))));
}

function pictureOf(image) {
  const said = (who, answer) => make("span", { class: answer.right ? "right" : "wrong", title: `${who}: ${answer.name}, ${percent(answer.p)} %` },
    `${who} ${answer.name} · ${Math.round(100 * answer.p)} %`);
  return make("figure", { title: `image ${image.id}, is ${image.is}` }, make("img", { src: image.address, alt: "" }),
    make("figcaption", {}, make("span", {}, `is ${image.is} · no. ${image.id}`), said("S", image.student),
      ...(image.teacher ? [said("T", image.teacher)] : [])));
}
