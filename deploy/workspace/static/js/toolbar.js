/** What a person can do with a message: react, reply, the app's shortcuts, edit and delete their own. */

import { attempt, post } from "./api.js";
import { confirm } from "./dialog.js";
import { button, el } from "./dom.js";
import { editMessage } from "./edit.js";
import { icon } from "./icons.js";
import { menu } from "./menu.js";
import { pickReaction } from "./reactions.js";
import { go } from "./route.js";
import { state } from "./state.js";

/** The toolbar of a message row, shown while the row has the pointer or the focus. */
export function toolbar(row) {
  const { channel } = row;
  const ts = row.message.ts;
  const act = button("Add a reaction", {
    icon: icon("smile"),
    class: "tool",
    "data-test": "react",
    onClick: () => pickReaction(act, channel, ts),
  });
  const reply = button("Reply in thread", {
    icon: icon("thread"),
    class: "tool",
    "data-test": "reply",
    onClick: () => go({ channel, thread: row.message.thread_ts ?? ts }),
  });
  const more = button("More actions", {
    icon: icon("more"),
    class: "tool",
    "data-test": "more",
    "aria-haspopup": "menu",
    onClick: () => menu(more, actionsOf(row), "Message actions"),
  });
  return el(
    "div",
    { class: "toolbar", role: "toolbar", "aria-label": "Message actions" },
    act,
    !row.inThread && reply,
    more,
  );
}

function actionsOf(row) {
  const { channel, message } = row;
  const shortcuts = state.app.shortcuts
    .filter((shortcut) => shortcut.type === "message")
    .map((shortcut) => ({
      label: shortcut.name,
      description: state.app.name,
      icon: icon("bolt"),
      test: `shortcut-${shortcut.callback_id}`,
      onPick: () => attempt(post("/page/shortcut", { callback_id: shortcut.callback_id, channel, ts: message.ts })),
    }));
  const copy = {
    label: "Copy text",
    icon: icon("file"),
    onPick: () => navigator.clipboard?.writeText(message.text ?? ""),
  };
  const own = [
    { label: "Edit message", icon: icon("edit"), test: "edit", onPick: () => editMessage(row) },
    {
      label: "Delete message",
      icon: icon("trash"),
      danger: true,
      test: "delete",
      onPick: () => remove(channel, message.ts),
    },
  ];
  return [...shortcuts, copy, ...(row.isMine ? own : [])];
}

async function remove(channel, ts) {
  const question = {
    title: "Delete message",
    text: "Delete this message for everyone?",
    confirm: "Delete",
    style: "danger",
  };
  if (await confirm(question)) await attempt(post("/page/delete", { channel, ts }));
}
