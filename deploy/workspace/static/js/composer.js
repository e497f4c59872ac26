/** The field to write a message: Enter sends, Shift+Enter starts a line, `@` and `/` suggest. */

import { attempt, post } from "./api.js";
import { runCommand } from "./commands.js";
import { button, el } from "./dom.js";
import { icon } from "./icons.js";
import { menu } from "./menu.js";
import { go } from "./route.js";
import { encode } from "./slack_text.js";
import { appChannel, state } from "./state.js";
import { Suggestions } from "./suggestions.js";

const HIGHEST_PX = 220;

/** A composer for `channel`, or for its thread; what is typed there is kept while the page lives. */
export function composer({ channel, thread = null, placeholder }) {
  const key = `${channel}:${thread ?? ""}`;
  const field = el("textarea", {
    rows: 1,
    placeholder,
    "aria-label": placeholder,
    dataset: { test: thread ? "thread-composer" : "composer" },
  });
  field.value = drafts.get(key) ?? "";
  const sendButton = button("Send", {
    icon: icon("send"),
    class: "send",
    disabled: true,
    "data-test": "send",
    onClick: () => submit(),
  });
  const changed = () => {
    drafts.set(key, field.value);
    sendButton.disabled = field.value.trim() === "";
    fit(field);
  };
  const suggestions = new Suggestions(field, changed);
  const submit = async () => {
    const typed = field.value.trim();
    if (!typed) return;
    field.value = "";
    changed();
    if (!(await send(channel, typed, thread)) && field.value === "") {
      field.value = typed;
      changed();
    }
  };
  field.addEventListener("input", changed);
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.defaultPrevented) return;
    event.preventDefault();
    submit();
  });
  requestAnimationFrame(changed);
  if (!thread) main = suggestions;
  const at = button("Mention someone", { icon: icon("at"), class: "tool", onClick: () => suggestions.begin("@") });
  const slash = button("Run a shortcut or command", {
    icon: icon("bolt"),
    class: "tool",
    "aria-haspopup": "menu",
    "data-test": "shortcuts",
  });
  slash.addEventListener("click", () => menu(slash, shortcutItems(channel, suggestions), "Shortcuts"));
  const hint = el("span", { class: "hint", text: "Enter sends · Shift+Enter starts a new line" });
  return el(
    "div",
    { class: "composer" },
    suggestions.node,
    el("div", { class: "composer-box" }, field, el("div", { class: "composer-bar" }, at, slash, hint, sendButton)),
  );
}

const drafts = new Map();
let main = null;

/** Writes `text` into the composer of the open conversation, for the person to send. */
export function writeInComposer(text) {
  main?.write(text);
}

/** Sends what a person typed: a slash command or a message. Opens the thread in which the app will answer. */
export async function send(channel, typed, thread = null) {
  const command = /^(\/[\w-]+)(?:\s+([\s\S]*))?$/.exec(typed);
  const place = { channel, ...(thread ? { thread_ts: thread } : {}) };
  if (command) return attempt(runCommand(place, command[1], command[2] ?? ""));
  const text = encode(typed);
  const sent = await attempt(post("/page/post", { ...place, text }));
  const ts = sent?.ts ?? sent?.message?.ts;
  const asksApp = channel === appChannel()?.id || text.includes(`<@${state.app.bot_user_id}>`);
  if (ts && !thread && asksApp) go({ channel, thread: ts });
  return sent;
}

function shortcutItems(channel, suggestions) {
  const global = state.app.shortcuts.filter((shortcut) => shortcut.type === "global");
  return [
    ...global.map((shortcut) => ({
      label: shortcut.name,
      description: shortcut.description,
      icon: icon("bolt"),
      test: `shortcut-${shortcut.callback_id}`,
      onPick: () => attempt(post("/page/shortcut", { callback_id: shortcut.callback_id })),
    })),
    ...state.app.commands.map(({ command, description, usage_hint: usage }) => ({
      label: `${command} ${usage ?? ""}`.trim(),
      description,
      icon: icon("chat"),
      onPick: () => suggestions.write(`${command} `),
    })),
  ];
}

function fit(field) {
  field.style.height = "auto";
  field.style.height = `${Math.min(field.scrollHeight, HIGHEST_PX)}px`;
}
