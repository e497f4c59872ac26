/** What people type, with mentions and channels as Slack writes them, and back. */

import { activePeople, channelName, groupHandle, personName, state } from "./state.js";

function escapePattern(text) {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** Everyone whom `@Name` can mean, with the longest names first so that they win. */
export function mentionables() {
  const bot = { id: state.app.bot_user_id, name: state.app.name };
  const others = activePeople().filter((someone) => someone.id !== bot.id);
  const people = others.map((someone) => ({ id: someone.id, name: someone.real_name || someone.name }));
  return [bot, ...people, ...state.usergroups.map(({ id, handle }) => ({ id, name: handle, isGroup: true }))];
}

/** Typed text as the workspace takes it: @names and #channels as Slack's controls. It escapes everything else itself. */
export function encode(typed) {
  let text = typed;
  const known = mentionables().toSorted((one, other) => other.name.length - one.name.length);
  for (const { id, name, isGroup } of known) {
    const call = isGroup ? `<!subteam^${id}>` : `<@${id}>`;
    text = text.replace(new RegExp(`@${escapePattern(name)}(?!\\w)`, "gi"), call);
  }
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
    .replace(/<!subteam\^(\w+)(?:\|([^>]*))?>/g, (_, id, label) => groupHandle(id) ?? label ?? "@group")
    .replace(/<!(\w+)>/g, "@$1")
    .replace(/<(https?:[^|>]+)(?:\|[^>]*)?>/g, "$1")
    .replace(/&lt;/g, "<")
    .replace(/&gt;/g, ">")
    .replace(/&amp;/g, "&");
}
