/** The thread panel: the thread's messages, what the app is doing, Stop, and a composer of its own. */

import { attempt, post } from "./api.js";
import { composer } from "./composer.js";
import { button, el } from "./dom.js";
import { icon } from "./icons.js";
import { go } from "./route.js";
import { appChannel, channel, on, state, statusOf } from "./state.js";
import { Timeline } from "./timeline.js";

/** The thread of `channelId` whose root is `thread`: {node, timeline}. */
export function openThread(channelId, thread) {
  const timeline = new Timeline(channelId, thread);
  const line = el("div", { class: "status-line", role: "status", dataset: { test: "status" } });
  const where = appChannel()?.id === channelId ? state.app.name : `#${channel(channelId).name}`;
  const node = el(
    "div",
    { class: "pane", dataset: { test: "thread", thread } },
    el(
      "header",
      { class: "pane-header" },
      el("h1", {}, "Thread", el("small", { text: where })),
      button("Close thread", {
        icon: icon("close"),
        class: "icon-button",
        onClick: () => go({ channel: channelId }),
        "data-test": "thread-close",
      }),
    ),
    timeline.node,
    line,
    composer({ channel: channelId, thread, placeholder: "Reply…" }),
  );
  current = { line, channelId, thread };
  showStatus();
  timeline.load();
  return { node, timeline };
}

const TURN_MS = 2500;
let current = null;
let turn = 0;
on("status", showStatus);
setInterval(() => {
  turn += 1;
  if (current?.turns) showStatus();
}, TURN_MS);

function showStatus() {
  if (!current) return;
  const { line, channelId, thread } = current;
  const { text, turns, session } = statusOf(channelId, thread);
  current.turns = text ? turns.length : 0;
  const busy = session === "processing";
  line.hidden = !text && !busy;
  const stop = button("Stop", {
    class: "button small",
    "data-test": "stop",
    onClick: () => attempt(post("/page/stop", { channel: channelId, thread_ts: thread })),
  });
  stop.prepend(icon("stop"));
  const words = (current.turns ? turns[turn % turns.length] : text) || "is working…";
  line.replaceChildren(
    el("span", { class: "dots", "aria-hidden": "true" }, el("i"), el("i"), el("i")),
    el("span", { class: "status-text" }, el("strong", { text: state.app.name }), ` ${words}`),
    busy ? stop : "",
  );
}
