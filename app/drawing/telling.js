// What a visitor does, told to the server. What it has not read yet is overwritten by the next, so each carries all that
// was not answered; what is told is numbered by time, so that nothing is done twice. It is a state and no trigger: of a
// drawing whose page is left in the same moment, Streamlit keeps states, and its callback fails for triggers.
function listen(seat, { heard }, setStateValue) {
  seat.told = (seat.told ?? []).filter(([number]) => number > heard);
  seat.send = (event, value) => {
    const last = seat.told.at(-1)?.[0] ?? heard;
    seat.told.push([Math.max(Date.now(), last + 1), event, value]);
    setStateValue("told", [...seat.told]);
  };
}

// What was asked for last of a kind and is not answered yet; the data then still show what was before.
const asked = (seat, event) => seat.told.findLast(([, name]) => name === event)?.[2];

// How it is looked at outlives a reload of the tab: the first drawing after it tells the server what the tab kept, and
// is given it to begin with. Every look is an event of the same name.
function recalled(seat) {
  const { root, data: { look, layers } } = seat, place = `${root.classList[0]} ${layers}`;
  const kept = window.pursuhintIsDrawn ? null : JSON.parse(sessionStorage.getItem(place));
  window.pursuhintIsDrawn = true;
  if (!kept) return sessionStorage.setItem(place, JSON.stringify(look));
  for (const [event, value] of Object.entries(kept)) if (value !== look[event]) seat.send(event, value);
  return kept;
}
