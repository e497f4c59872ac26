/** What people type, with mentions and channels as Slack writes them, and back. */

import { channelName, personName, state } from "./state.js";

function escapePattern(text) {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** Everyone whom `@Name` can mean, with the longest names first so that they win. */
export function mentionables() {
  const bot = { id: state.app.bot_user_id, name: state.app.name };
  const others = state.people.filter((someone) => someone.id !== bot.id);
  return [bot, ...others.map((someone) => ({ id: someone.id, name: someone.real_name || someone.name }))];
}

/** Typed text as the workspace takes it: @names and #channels as Slack's controls. It escapes everything else itself. */
export function encode(typed) {
  let text = typed;
  const known = mentionables().toSorted((one, other) => other.name.length - one.name.length);
  for (const { id, name } of known) text = text.replace(new RegExp(`@${escapePattern(name)}(?!\\w)`, "gi"), `<@${id}>`);
  return text.replace(/(^|\s)#([\w-]+)/g, (whole, before, name) => {
    const found = state.channels.find((some) => some.name === name && some.kind !== "im");
    return found ? `${before}<#${found.id}|${name}>` : whole;
  });
}

/** Text from the wire as the person typed it. */
export function decode(text) {
  return text
    .replace(/<@(\w+)(?:\|[^>]*)?>/g, (_, id) => `@${personName(id)}`)
    .replace(/<#(\w+)(?:\|([^>]*))?>/g, (_, id, name) => `#${name || channelName(id)}`)
    .replace(/<!(\w+)>/g, "@$1")
    .replace(/<(https?:[^|>]+)(?:\|[^>]*)?>/g, "$1")
    .replace(/&lt;/g, "<")
    .replace(/&gt;/g, ">")
    .replace(/&amp;/g, "&");
}
