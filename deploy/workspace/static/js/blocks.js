/** Draws Block Kit: each block type has one function; a type that is missing here shows as a visible note. */

import { DATA_BLOCKS } from "./blocks_data.js";
import { el, rich, textOf } from "./dom.js";
import { image, renderElement, unknown } from "./elements.js";
import { INPUTS } from "./inputs.js";

/** The nodes of `blocks`, wired to `form`. */
export function renderBlocks(blocks, form) {
  return blocks.map((block) => renderBlock(block, form));
}

/** The node of one block, wired to `form`. */
export function renderBlock(block, form) {
  const draw = BLOCKS[block.type] ?? DATA_BLOCKS[block.type];
  const inner = draw ? draw(block, form, renderBlock) : unknown("Block", block.type);
  return el("div", { class: `block block-${block.type}`, dataset: { block: block.block_id ?? "" } }, inner);
}

function section(block, form) {
  const fields = (block.fields ?? []).map((field) => textOf(field, "div", { class: "rich" }));
  return [
    el(
      "div",
      { class: "section-main" },
      textOf(block.text, "div", { class: "rich" }),
      fields.length > 0 && el("div", { class: "fields" }, fields),
    ),
    block.accessory && el("div", { class: "accessory" }, renderElement(block.accessory, block.block_id, form)),
  ];
}

function context(block, form) {
  return block.elements.map((element) =>
    element.type === "image" ? image(element, "context-image") : textOf(element, "span", { class: "rich" }),
  );
}

function actions(block, form) {
  return block.elements.map((element) => renderElement(element, block.block_id, form));
}

function imageBlock(block) {
  return el(
    "figure",
    { class: "figure" },
    block.title && textOf(block.title, "figcaption"),
    image(block, "block-image"),
  );
}

function input(block, form) {
  const make = INPUTS[block.element.type];
  const field = make
    ? make(block.element, block.block_id, form, Boolean(block.dispatch_action))
    : unknown("Input", block.element.type);
  if (block.element.focus_on_load) field.dataset.focus = "";
  const grouped = field.matches?.(".choices");
  const id = `input-${(inputs += 1)}`;
  const errorId = `${id}-error`;
  if (grouped) field.setAttribute("aria-labelledby", `${id}-label`);
  else field.id = id;
  field.setAttribute("aria-describedby", errorId);
  return [
    el(
      grouped ? "div" : "label",
      { class: "input-label", id: `${id}-label`, for: grouped ? null : id },
      textOf(block.label),
      block.optional && el("small", { text: " (optional)" }),
    ),
    field,
    el("p", { class: "field-error", id: errorId, role: "alert", hidden: true, dataset: { test: "field-error" } }),
    textOf(block.hint, "p", { class: "hint" }),
  ];
}

let inputs = 0;

const BLOCKS = {
  section,
  context,
  actions,
  context_actions: actions,
  input,
  image: imageBlock,
  divider: () => el("hr"),
  header: (block) => textOf(block.text, "h3", { class: "header" }),
  markdown: (block) => rich("div", block.html, { class: "rich" }),
  rich_text: (block) => rich("div", block.html, { class: "rich" }),
};
