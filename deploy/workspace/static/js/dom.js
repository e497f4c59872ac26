/** Small helpers to make elements; the only place of the page that inserts HTML, and only HTML that present.py made. */

import { localise } from "./format.js";

/**
 * Makes an element: `props` may hold `class`, `text`, `dataset`, `on` (listeners) and any attribute;
 * children that are null or false are left out.
 */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) setProp(node, name, value);
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

function setProp(node, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name === "class") node.className = value;
  else if (name === "text") node.textContent = value;
  else if (name === "dataset") Object.assign(node.dataset, value);
  else if (name === "on") for (const [event, listener] of Object.entries(value)) node.addEventListener(event, listener);
  else node.setAttribute(name, value === true ? "" : value);
}

/** An element around `html` from present.py, with mentions named and dates written in the reader's time zone. */
export function rich(tag, html, props = {}) {
  const node = el(tag, props);
  node.innerHTML = html ?? "";
  localise(node);
  return node;
}

/** The element of a Slack text object ({text, html}); null for none. */
export function textOf(object, tag = "span", props = {}) {
  if (!object) return null;
  return typeof object === "string" ? el(tag, { ...props, text: object }) : rich(tag, object.html ?? "", props);
}

/** A button with an icon or a label; `label` is also what a screen reader says. */
export function button(label, { icon, onClick, ...props } = {}, ...children) {
  return el(
    "button",
    { type: "button", "aria-label": icon ? label : null, title: icon ? label : null, on: { click: onClick }, ...props },
    icon ?? (children.length ? children : label),
  );
}

/** Makes `parent`'s children equal `nodes` while moving as few as possible, so that focus and scrolling stay. */
export function reconcile(parent, nodes) {
  const wanted = new Set(nodes);
  for (const child of [...parent.children]) if (!wanted.has(child)) child.remove();
  nodes.forEach((node, index) => {
    if (parent.children[index] !== node) parent.insertBefore(node, parent.children[index] ?? null);
  });
}

/** Says `text` to screen readers without showing it. */
export function announce(text) {
  document.getElementById("announcer").textContent = text;
}
