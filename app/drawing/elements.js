// Making elements. Names come from files of the visitor: they go in as text, never as markup.

const SVG = "http://www.w3.org/2000/svg";

const make = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
const draw = (tag, attributes, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

const PRINTS = new WeakMap();

// Makes the children of an element anew only when what they show changed; kept ones keep layout and focus.
function show(element, what, made) {
  const print = JSON.stringify(what);
  if (PRINTS.get(element) !== print) element.replaceChildren(...made());
  PRINTS.set(element, print);
}
