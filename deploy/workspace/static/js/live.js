/** Applies the workspace's events to what is on screen. */

import { actingAs } from "./api.js";
import { channel, emit, personName, refresh, setStatus, state } from "./state.js";
import { toast } from "./toast.js";

const REFRESH_MS = 250;
let refreshTimer = 0;

/** Fetches the state again soon, once for any number of reasons in between. */
export function refreshSoon() {
  clearTimeout(refreshTimer);
  refreshTimer = setTimeout(() => refresh(actingAs()).catch(() => {}), REFRESH_MS);
}

/** Applies one event; `timelines` are the lists of messages on screen. */
export function apply(event, timelines) {
  const here = timelines.filter((timeline) => timeline.channel === event.channel);
  APPLY[event.type]?.(event, here);
}

function show({ message }, here) {
  for (const timeline of here) if (timeline.accepts(message)) timeline.upsert(message);
}

function arrived(event, here) {
  show(event, here);
  refreshSoon();
}

const APPLY = {
  message: arrived,
  message_changed: show,
  stream: show,
  ephemeral: ({ message, channel }, here) => show({ channel, message: { ...message, is_ephemeral: true } }, here),
  message_deleted: ({ ts }, here) => here.forEach((timeline) => timeline.remove(ts)),
  reaction: ({ ts, reactions }, here) => here.forEach((timeline) => timeline.patch(ts, () => ({ reactions }))),
  status: ({ channel, thread_ts: thread, text, loading_messages: turns }) =>
    setStatus(channel, thread, { text: text ?? "", turns: turns ?? [] }),
  session: ({ channel, thread_ts: thread, status }) => setStatus(channel, thread, { session: status }),
  prompts: ({ channel, title, prompts }) => {
    state.prompts.set(channel, { title, prompts });
    emit("prompts", channel);
  },
  view_opened: ({ view }) => emit("view_opened", view),
  view_updated: ({ view }) => emit("view_updated", view),
  view_closed: ({ view_id: id }) => emit("view_closed", id),
  home: ({ view }) => emit("home", view),
  channels: refreshSoon,
  ping: ({ channel: id, user }) => {
    if (state.place?.channel === id) return;
    const where = channel(id);
    toast(`${personName(user)} called you in ${where?.kind === "im" ? "a direct message" : `#${where?.name ?? id}`}.`);
  },
  app: ({ connected }) => {
    state.app.connected = connected;
    emit("state");
  },
};
