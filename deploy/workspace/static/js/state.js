/** What the page knows of the workspace, as the acting person sees it; modules read it and listen for its changes. */

import { get } from "./api.js";

/** The present state: everything of GET /page/state, and where the page stands. */
export const state = {
  team: { name: "" },
  me: null,
  people: [],
  usergroups: [],
  open_channels: [], // public channels that one could go into
  channels: [],
  app: { name: "App", suggested_prompts: [], commands: [], shortcuts: [], connected: true },
  welcome: "",
  emoji: {},
  place: null, // {channel, thread} or {home: true}
  statuses: new Map(), // "channel:thread" -> {text, turns, session}
  prompts: new Map(), // channel -> {title, prompts}
};

const QUIET = { text: "", turns: [], session: "" };
const listeners = new Map();

/** Calls `listener` at each later `emit` of `topic`. */
export function on(topic, listener) {
  listeners.set(topic, [...(listeners.get(topic) ?? []), listener]);
}

/** Tells all listeners of `topic`. */
export function emit(topic, data) {
  for (const listener of listeners.get(topic) ?? []) listener(data);
}

/** Fetches the state of the workspace for person `as` and tells the listeners of "state". */
export async function refresh(as) {
  Object.assign(state, await get("/page/state", as ? { as } : {}));
  emit("state");
}

/** Fetches the table of emoji names once. */
export async function loadEmoji() {
  state.emoji = await get("/static/emoji.json");
}

/** The person with `id`, the bot included; undefined when unknown. */
export function person(id) {
  return state.people.find((someone) => someone.id === id);
}

/** The people who can act, write and be called: not those whose account was deactivated. */
export function activePeople() {
  return state.people.filter((someone) => !someone.deleted);
}

/** The handle of the user group with `id`, with its @; null when unknown. */
export function groupHandle(id) {
  const group = state.usergroups.find((some) => some.id === id);
  return group ? `@${group.handle}` : null;
}

/** What a mention of person `id` shows. */
export function personName(id) {
  const someone = person(id);
  if (someone) return someone.real_name || someone.name;
  return id === state.app.bot_user_id ? state.app.name : id;
}

/** The conversation with `id`; undefined when the acting person is not in it. */
export function channel(id) {
  return state.channels.find((some) => some.id === id);
}

/** What a link to channel `id` shows. */
export function channelName(id, fallback = id) {
  return channel(id)?.name ?? fallback.replace(/^#/, "");
}

/** The acting person's direct message with the app. */
export function appChannel() {
  const direct = state.channels.filter((some) => some.kind === "im");
  return direct.find((some) => some.with === state.app.bot_user_id) ?? direct[0];
}

/** The status of a thread: what the app says it is doing, the texts that take turns meanwhile, and its session. */
export function statusOf(channelId, thread) {
  return state.statuses.get(`${channelId}:${thread}`) ?? QUIET;
}

/** Notes a part of a thread's status and tells the listeners of "status". */
export function setStatus(channelId, thread, part) {
  state.statuses.set(`${channelId}:${thread}`, { ...statusOf(channelId, thread), ...part });
  emit("status", { channel: channelId, thread });
}
