/** Reactions under a message, and the picker that adds one. */

import { actingAs, attempt, post } from "./api.js";
import { button, el } from "./dom.js";
import { personName, state } from "./state.js";
import { popover } from "./menu.js";

const OFFERED = [
  "thumbsup",
  "thumbsdown",
  "white_check_mark",
  "eyes",
  "heart",
  "tada",
  "raised_hands",
  "pray",
  "bulb",
  "thinking_face",
  "fire",
  "mortar_board",
];

/** The reactions of a message; a click adds or takes away the acting person's own. */
export function reactions(channel, message) {
  return el(
    "div",
    { class: "reactions" },
    message.reactions.map((reaction) => chip(channel, message.ts, reaction)),
  );
}

function chip(channel, ts, { name, users = [], count }) {
  const mine = users.includes(actingAs());
  const names = users.map(personName).join(", ");
  return el(
    "button",
    {
      type: "button",
      class: "reaction",
      title: `${names} reacted with :${name}:`,
      "aria-pressed": String(mine),
      "aria-label": `${name}, ${count ?? users.length}`,
      dataset: { test: `reaction-${name}` },
      on: { click: () => react(channel, ts, name, mine) },
    },
    el("span", { text: state.emoji[name] ?? `:${name}:` }),
    el("span", { class: "count", text: String(count ?? users.length) }),
  );
}

/** Adds the acting person's reaction `name`, or takes it away. */
export function react(channel, ts, name, remove = false) {
  return attempt(post("/page/react", { channel, ts, name, remove }));
}

/** Opens the picker of reactions beside `anchor`. */
export function pickReaction(anchor, channel, ts) {
  const pick = (name) => {
    opened.close();
    react(channel, ts, name);
  };
  const choices = OFFERED.map((name) =>
    button(state.emoji[name], {
      class: "emoji",
      title: `:${name}:`,
      "aria-label": name,
      "data-test": `react-${name}`,
      onClick: () => pick(name),
    }),
  );
  const opened = popover(anchor, el("div", { class: "emoji-grid", role: "group", "aria-label": "Reactions" }, choices));
}
