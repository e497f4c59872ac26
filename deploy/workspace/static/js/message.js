/** One message: who, when, what it says, its reactions and replies, and what can be done with it. */

import { actingAs, attempt, post } from "./api.js";
import { authorOf, avatar, avatarOf } from "./avatar.js";
import { renderBlocks } from "./blocks.js";
import { button, el, rich } from "./dom.js";
import { renderFiles } from "./files.js";
import { keepingFocus } from "./focus.js";
import { Form } from "./form.js";
import { ago, fullTime, timeOf } from "./format.js";
import { icon } from "./icons.js";
import { reactions } from "./reactions.js";
import { go } from "./route.js";
import { toolbar } from "./toolbar.js";

/** A message on screen. `inThread` says whether it is shown in the thread panel. */
export class MessageRow {
  constructor(channel, message, inThread) {
    this.channel = channel;
    this.inThread = inThread;
    this.body = el("div", { class: "message-body" });
    this.main = el("div", { class: "message-main" });
    this.gutter = el("div", { class: "gutter" });
    this.node = el(
      "article",
      { class: "message", role: "listitem", dataset: { test: "message", ts: message.ts } },
      this.gutter,
      this.main,
    );
    this.tools = null;
    this.form = null;
    this.update(message);
  }

  /** Shows `message` in place of what was there. */
  update(message) {
    this.message = message;
    this.author = authorOf(message);
    this.node.classList.toggle("ephemeral", Boolean(message.is_ephemeral));
    this.node.classList.toggle("streaming", isStreaming(message));
    this.node.dataset.author = this.author.id;
    this.gutter.replaceChildren(avatar(this.author), el("time", { class: "gutter-time", text: timeOf(message.ts) }));
    this.form = new Form({ message: { channel: this.channel, ts: message.ts } }, this.form);
    keepingFocus(this.main, () => {
      this.body.replaceChildren(...bodyOf(message, this.form));
      this.main.replaceChildren(...this.parts());
    });
    this.tools ??= toolbar(this);
    if (!message.is_ephemeral) this.node.append(this.tools);
  }

  parts() {
    const { message } = this;
    return [
      message.is_ephemeral && privateNote(this),
      header(this.author, message),
      this.body,
      message.reactions?.length > 0 && reactions(this.channel, message),
      !this.inThread && message.reply_count > 0 && replies(this.channel, message),
    ].filter(Boolean);
  }

  /** Whether the acting person wrote it. */
  get isMine() {
    return this.message.user === actingAs() && !this.author.isApp;
  }

  /** Folds the name away when the message before is by the same author and recent. */
  setCompact(compact) {
    this.node.classList.toggle("compact", compact);
  }
}

/** Whether the text of `message` is still being written. */
export function isStreaming(message) {
  return message.streaming_state === "in_progress";
}

function header(author, message) {
  return el(
    "header",
    { class: "message-header" },
    el("span", { class: "author", text: author.name }),
    author.isApp && el("span", { class: "badge", text: "APP" }),
    el("time", { text: timeOf(message.ts), title: fullTime(message.ts) }),
  );
}

function privateNote(row) {
  const onClick = () => attempt(post("/page/delete", { channel: row.channel, ts: row.message.ts }));
  const dismiss = button("Dismiss", { class: "link", "data-test": "dismiss", onClick });
  return el("div", { class: "private-note" }, icon("eye"), "Only visible to you ", dismiss);
}

/** The blocks of a message, or its text when it has none. */
function bodyOf(message, form) {
  const blocks = message.blocks ?? [];
  const says = blocks.length ? renderBlocks(blocks, form) : [rich("div", message.html, { class: "rich message-text" })];
  if (message.edited) endOf(says).append(el("small", { class: "edited", text: "(edited)" }));
  if (isStreaming(message)) endOf(says).append(el("span", { class: "caret", "aria-hidden": "true" }));
  return [
    ...says,
    ...(message.attachments ?? []).map((attachment) => attachmentNode(attachment, form)),
    ...(message.files?.length ? [renderFiles(message.files)] : []),
  ];
}

/** Where the text of `nodes` ends: inside the last paragraph or list item, if the last thing is one. */
function endOf(nodes) {
  let end = nodes.at(-1);
  while (end.lastElementChild?.matches(".rich, p, ol, ul, li")) end = end.lastElementChild;
  return end;
}

function attachmentNode(attachment, form) {
  const text = attachment.html ? rich("div", attachment.html, { class: "rich" }) : null;
  return el(
    "div",
    { class: "attachment" },
    attachment.title && el("strong", { text: attachment.title }),
    text,
    renderBlocks(attachment.blocks ?? [], form),
  );
}

function replies(channel, message) {
  const count = message.reply_count;
  const faces = (message.reply_users ?? []).slice(0, 3).map((id) => avatarOf(id, "tiny"));
  const last = message.latest_reply
    ? el("span", { class: "last-reply", text: `Last reply ${ago(message.latest_reply)}` })
    : null;
  const open = () => go({ channel, thread: message.ts });
  return el(
    "button",
    { type: "button", class: "replies", dataset: { test: "replies" }, on: { click: open } },
    faces,
    el("span", { class: "count", text: `${count} ${count === 1 ? "reply" : "replies"}` }),
    last,
  );
}
