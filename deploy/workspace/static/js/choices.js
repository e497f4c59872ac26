/** Lists of options to tick: radio buttons, checkboxes, and the picker behind a multi-select. */

import { el, textOf } from "./dom.js";
import { popover } from "./menu.js";

let groups = 0;

/** Radio buttons or checkboxes for Slack `options`; gives {node, picked}, where picked() is the chosen options. */
export function choiceList(options, values, { many, action }) {
  const group = `choices-${(groups += 1)}`;
  const boxes = options.map((option) => {
    const box = el("input", { type: many ? "checkbox" : "radio", name: group, value: option.value });
    box.checked = values.includes(option.value);
    return box;
  });
  const rows = options.map((option, index) =>
    el(
      "label",
      { class: "choice" },
      boxes[index],
      el("span", {}, textOf(option.text), textOf(option.description, "small")),
    ),
  );
  const node = el(
    "div",
    { class: "choices", role: many ? "group" : "radiogroup", dataset: { action, test: "input" } },
    rows,
  );
  return { node, picked: () => options.filter((_, index) => boxes[index].checked) };
}

/** A field that shows what is chosen and opens a list to tick; gives {node, picked}. It fires "change" as inputs do. */
export function multiPicker(options, values, { placeholder, action, most }) {
  const list = choiceList(options, values, { many: true, action });
  const chips = el("span", { class: "chips" });
  const node = el(
    "button",
    { type: "button", class: "field select multi", "aria-haspopup": "listbox", dataset: { action, test: "input" } },
    chips,
  );
  const show = () => {
    const names = list.picked().map((option) => el("span", { class: "chip", text: option.text.text }));
    chips.replaceChildren(...(names.length ? names : [el("span", { class: "placeholder", text: placeholder })]));
    const full = most && list.picked().length >= most;
    for (const box of list.node.querySelectorAll("input")) box.disabled = Boolean(full) && !box.checked;
  };
  list.node.addEventListener("change", (event) => {
    event.stopPropagation();
    show();
    node.dispatchEvent(new Event("change"));
  });
  node.addEventListener("click", () => {
    list.node.style.minWidth = `${node.offsetWidth - 24}px`;
    popover(node, list.node, { className: "picker" });
    list.node.querySelector("input")?.focus();
  });
  show();
  return { node, picked: () => list.picked() };
}
