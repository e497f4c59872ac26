/** Who wrote a message, and the square that stands for them. */

import { el } from "./dom.js";
import { initials } from "./format.js";
import { person, personName, state } from "./state.js";

/** The author of a message: {id, name, color, isApp}. */
export function authorOf(message) {
  const isApp = Boolean(message.bot_id || message.app_id) || message.user === state.app.bot_user_id;
  const known = person(message.user);
  if (message.user === "USLACKBOT") return { id: message.user, name: "Slackbot", isApp: false };
  const name = message.username || (isApp && message.bot_profile?.name) || personName(message.user ?? "");
  return { id: message.user ?? message.bot_id, name, color: known?.color, isApp };
}

/** The avatar of someone: the app's moon, or initials on the person's colour. */
export function avatar({ name, color, isApp }, size = "") {
  if (isApp) return el("img", { class: `avatar ${size}`, src: "/static/moon.svg", alt: "" });
  const node = el("span", { class: `avatar ${size}`, "aria-hidden": "true", text: initials(name) });
  if (/^#?[0-9a-f]{6}$/i.test(color ?? "")) node.style.setProperty("--person", `#${color.replace("#", "")}`);
  return node;
}

/** The avatar of the person with `id`. */
export function avatarOf(id, size = "") {
  return avatar({ name: personName(id), color: person(id)?.color, isApp: id === state.app.bot_user_id }, size);
}
