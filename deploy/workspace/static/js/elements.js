/** Block Kit's interactive elements, apart from the inputs (inputs.js): buttons, menus, feedback, images. */

import { actingAs } from "./api.js";
import { el, textOf } from "./dom.js";
import { bare } from "./form.js";
import { icon } from "./icons.js";
import { INPUTS } from "./inputs.js";
import { menu } from "./menu.js";

/** The element for one Block Kit `element` of block `blockId`, wired to `form`. */
export function renderElement(element, blockId, form) {
  const node = INPUTS[element.type]
    ? INPUTS[element.type](element, blockId, form, true)
    : (ELEMENTS[element.type] ?? unknownElement)(element, blockId, form);
  if (element.focus_on_load) node.dataset.focus = "";
  return node;
}

/** A visible note for an element or block that the page cannot draw. */
export function unknown(kind, type) {
  return el("span", { class: "unknown", dataset: { test: "unknown" }, text: `${kind} “${type}” is not drawn here` });
}

function unknownElement(element) {
  return unknown("Element", element.type);
}

function buttonElement(element, blockId, form) {
  const node = el(
    "button",
    {
      type: "button",
      class: `button ${element.style ?? ""}`,
      "aria-label": element.accessibility_label,
      dataset: { test: "action", action: element.action_id },
    },
    textOf(element.text),
  );
  node.addEventListener("click", () => {
    if (/^https?:/i.test(element.url ?? "")) open(element.url, "_blank", "noopener,noreferrer");
    const action = { value: element.value, text: bare(element.text) };
    form.act(element, blockId, action, node);
  });
  return node;
}

function overflow(element, blockId, form) {
  const node = el(
    "button",
    {
      type: "button",
      class: "button square",
      "aria-label": "More options",
      "aria-haspopup": "menu",
      dataset: { test: "overflow", action: element.action_id },
    },
    icon("more"),
  );
  const items = element.options.map((option) => ({
    label: textOf(option.text),
    description: option.description?.text,
    onPick: () => form.act(element, blockId, { selected_option: bare(option) }),
  }));
  node.addEventListener("click", () => menu(node, items, "More options"));
  return node;
}

/** Where the browser remembers which thumb a person pressed; Slack too keeps that look per person. */
function pressedKey(element, form) {
  const { channel, ts } = form.owner.message ?? { channel: form.owner.view_id, ts: "" };
  return `pressed:${actingAs()}:${channel}:${ts}:${element.action_id}`;
}

function feedbackButtons(element, blockId, form) {
  const key = pressedKey(element, form);
  const thumbs = [
    ["positive", element.positive_button, "up"],
    ["negative", element.negative_button, "down"],
  ].map(([side, choice, drawing]) => {
    const label = choice.accessibility_label ?? choice.text.text;
    const node = el(
      "button",
      {
        type: "button",
        class: `thumb ${side}`,
        title: choice.text.text,
        "aria-label": label,
        dataset: { test: `feedback-${side}` },
      },
      icon(drawing),
    );
    node.addEventListener("click", async () => {
      sessionStorage.setItem(key, side);
      paint();
      await form.act(element, blockId, { value: choice.value, text: bare(choice.text) });
    });
    return [side, node];
  });
  const paint = () => {
    for (const [side, node] of thumbs) node.setAttribute("aria-pressed", String(sessionStorage.getItem(key) === side));
  };
  paint();
  return el(
    "span",
    { class: "thumbs", role: "group", "aria-label": "Feedback" },
    thumbs.map(([, node]) => node),
  );
}

function iconButton(element, blockId, form) {
  if (element.visible_to_user_ids && !element.visible_to_user_ids.includes(actingAs()))
    return el("span", { hidden: true });
  const node = el(
    "button",
    {
      type: "button",
      class: "thumb",
      title: element.text?.text,
      "aria-label": element.accessibility_label ?? element.text?.text,
      dataset: { test: "icon-button", action: element.action_id },
    },
    icon(element.icon === "trash" ? "trash" : "more"),
  );
  node.addEventListener("click", () => form.act(element, blockId, { value: element.value }, node));
  return node;
}

/** An image of the workspace's own, or a link to one elsewhere: the page fetches nothing from other sites. */
export function image({ slack_file: file, image_url: given, alt_text: alt = "" }, className = "") {
  const url = new URL(file?.url ?? (file?.id ? `/files/${file.id}` : given) ?? "", location.href);
  if (url.hostname === location.hostname && url.port === location.port) {
    return el("img", { class: className, src: url.pathname + url.search, alt, loading: "lazy" });
  }
  return el(
    "a",
    { class: `image-link ${className}`, href: url.href, target: "_blank", rel: "noopener noreferrer" },
    icon("link"),
    alt || url.hostname,
  );
}

const ELEMENTS = {
  button: buttonElement,
  workflow_button: buttonElement,
  overflow,
  feedback_buttons: feedbackButtons,
  icon_button: iconButton,
  image: (element) => image(element, "accessory-image"),
};
