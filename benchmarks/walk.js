// Measures inside the page, where no driver's polling adds to the time: loaded before the page's own scripts.

// The first element that matches, also inside the drawings, whose shadow roots hide it from the document.
const seek = (selector) => document.querySelector(selector) ??
  [...document.querySelectorAll("[data-testid=stBidiComponentIsolated]")]
    .map((host) => host.shadowRoot?.querySelector(selector)).find(Boolean) ?? null;

// The time at which every condition holds for the first time, at the end of a frame; fails after three minutes.
const when = (...conditions) => new Promise((done, fail) => {
  const look = () => {
    if (conditions.every((holds) => holds())) done(performance.now());
    else if (performance.now() > look.end) fail(new Error(`not within three minutes: ${conditions}`));
    else requestAnimationFrame(look);
  };
  look.end = performance.now() + 180_000;
  look();
});

const heading = () => document.querySelector("[data-testid=stMain] h1")?.innerText;
// The Runs page is headed by the run it shows, once there is one. The lesson is headed by its step, known by its mark.
const heads = (title, before) => () =>
  title === "Lesson" || (title === "Runs" ? heading() && heading() !== before : heading() === title);
const shows = (selector) => () => seek(selector) !== null;
const rests = () => document.querySelector("[data-testid=stApp]").dataset.testScriptState === "notRunning";
const badges = () => [...document.querySelectorAll("[data-testid=stMain] .stMarkdownBadge")].map((one) => one.innerText).join();

window.walk = {
  // ms from the start of the navigation until the page is drawn
  first: (title, mark) => when(heads(title), shows(mark)),
  // ms from a click in the navigation until the next page is drawn, its own title and its last figure
  async turn(title, mark) {
    const link = [...document.querySelectorAll("[data-testid=stSidebarNavLink]")].find((one) => one.innerText.trim() === title);
    const before = heading(), began = performance.now();
    link.click();
    return await when(heads(title, before), shows(mark)) - began;
  },
  // ms from a click on a layer in the strip until every view marks it and the facts are its own
  async select(layer) {
    const cell = seek(`.cell[data-layer="${layer}"]`), name = cell.getAttribute("aria-label").split(",")[0];
    const began = performance.now();
    cell.click();
    const marked = [".cell", ".dot", ".swatch"].map((view) => shows(`${view}.picked[data-layer="${layer}"]`));
    return await when(...marked, () => seek(".facts h3").innerText === name) - began;
  },
  // ms from the key that makes the selected layer a hint point (or none) until drawing and badges show it
  async toggle(layer) {
    const cell = seek(`.cell[data-layer="${layer}"]`), was = cell.classList.contains("hint"), before = badges();
    const began = performance.now();
    cell.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, composed: true }));
    return await when(
      () => seek(`.cell[data-layer="${layer}"]`).classList.contains("hint") !== was, () => badges() !== before,
    ) - began;
  },
  // [newest epoch drawn, time of day in ms] whenever curves grow, for some seconds
  watch: (seconds) => new Promise((done) => {
    const seen = [], end = performance.now() + 1000 * seconds;
    const look = () => {
      const drawn = Number(seek(".curves").dataset.end);
      if (drawn !== seen.at(-1)?.[0]) seen.push([drawn, Date.now()]);
      performance.now() > end ? done(seen.slice(1)) : requestAnimationFrame(look);
    };
    look();
  }),
  // ms that the drawing of the layers took when it was last drawn anew
  drawn: () => Number(seek(".explorer").dataset.drawn),
  idle: () => when(rests),
};
