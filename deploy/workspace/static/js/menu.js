/** A popover below a button: menus and small pickers. The browser closes it on Escape and on a click elsewhere. */

import { el } from "./dom.js";

const GAP = 4;

/** Opens a popover with `content` beside `anchor`; gives {close}. `onClose` is called once it is gone. */
export function popover(anchor, content, { className = "", onClose } = {}) {
  const panel = el("div", { class: `popover ${className}`, popover: "auto" }, content);
  (anchor.closest("dialog") ?? document.body).append(panel);
  anchor.setAttribute("aria-expanded", "true");
  panel.showPopover();
  place(panel, anchor.getBoundingClientRect());
  panel.addEventListener("toggle", (event) => {
    if (event.newState !== "closed") return;
    panel.remove();
    anchor.setAttribute("aria-expanded", "false");
    onClose?.();
  });
  return { close: () => panel.isConnected && panel.hidePopover() };
}

function place(panel, anchor) {
  const below = anchor.bottom + GAP + panel.offsetHeight < innerHeight;
  const top = below ? anchor.bottom + GAP : Math.max(GAP, anchor.top - GAP - panel.offsetHeight);
  const left = Math.min(anchor.left, innerWidth - panel.offsetWidth - 2 * GAP);
  panel.style.top = `${top}px`;
  panel.style.left = `${Math.max(GAP, left)}px`;
}

/** Opens a menu of `items` ({label, icon?, danger?, description?, test?, onPick}); arrows move, Enter picks. */
export function menu(anchor, items, label) {
  const rows = items.map((item) => menuItem(item, () => opened.close()));
  const list = el("div", { role: "menu", "aria-label": label, on: { keydown: (event) => move(event, rows) } }, rows);
  const opened = popover(anchor, list, { className: "menu", onClose: () => anchor.isConnected && anchor.focus() });
  rows[0]?.focus();
  return opened;
}

function menuItem({ label, icon, danger, description, test, onPick }, close) {
  const pick = () => {
    close();
    onPick();
  };
  const words = el("span", {}, label, description && el("small", { text: description }));
  return el(
    "button",
    {
      type: "button",
      role: "menuitem",
      class: danger ? "danger" : "",
      dataset: { test: test ?? "menu-item" },
      on: { click: pick },
    },
    icon ?? null,
    words,
  );
}

function move(event, rows) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const at = rows.indexOf(document.activeElement);
  rows[(at + step + rows.length) % rows.length].focus();
}
