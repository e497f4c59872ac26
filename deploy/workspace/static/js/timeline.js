/** A scrolling list of messages: a channel's, or one thread's. */

import { attempt, get } from "./api.js";
import { announce, el, reconcile } from "./dom.js";
import { dayOf } from "./format.js";
import { isStreaming, MessageRow } from "./message.js";
import { setStatus, statusOf } from "./state.js";

const GROUPED_SECONDS = 300;
const NEAR_BOTTOM_PX = 120;

/** The messages of `channel`, or of the thread whose root is `thread`. */
export class Timeline {
  constructor(channel, thread = null) {
    this.channel = channel;
    this.thread = thread;
    this.rows = new Map();
    this.dividers = new Map();
    this.news = new Set(); // what events told us while an answer was on its way: the answer is older
    this.list = el("div", { class: "messages", role: "list", "aria-label": thread ? "Thread" : "Messages" });
    this.node = el(
      "div",
      { class: "scroller", tabindex: "-1", dataset: { test: thread ? "thread-messages" : "messages" } },
      this.list,
    );
    this.list.addEventListener("load", () => this.stick(), true);
    this.sticky = true;
    this.node.addEventListener("scroll", () => {
      this.sticky = this.node.scrollHeight - this.node.scrollTop - this.node.clientHeight < NEAR_BOTTOM_PX;
    });
  }

  /** Fetches the messages and shows them in place of what is there. */
  async load() {
    const query = { channel: this.channel, ...(this.thread ? { thread_ts: this.thread } : {}) };
    const status = this.thread && statusOf(this.channel, this.thread);
    this.news.clear();
    const answer = await attempt(get("/page/messages", query));
    if (!answer) return;
    const kept = new Set(answer.messages.map((message) => message.ts));
    for (const ts of this.rows.keys()) if (!kept.has(ts) && !this.news.has(ts)) this.rows.delete(ts);
    for (const message of answer.messages) if (!this.news.has(message.ts)) this.put(message);
    const noNewer = this.thread && statusOf(this.channel, this.thread) === status;
    if (noNewer) setStatus(this.channel, this.thread, statusFrom(answer.status));
    this.layout();
  }

  /** Whether `message` belongs in this list. */
  accepts(message) {
    const root = message.thread_ts ?? message.ts;
    if (this.thread) return root === this.thread;
    return root === message.ts || message.subtype === "thread_broadcast";
  }

  /** Shows a new or changed message. */
  upsert(message) {
    const before = this.rows.get(message.ts);
    this.news.add(message.ts);
    this.put(message);
    if (!before) this.layout();
    this.stick();
    const done = before ? isStreaming(before.message) && !isStreaming(message) : !isStreaming(message);
    if (done && !before?.isMine) announce(`${this.rows.get(message.ts).author.name}: ${message.text ?? ""}`);
  }

  /** Shows that a message has gone. */
  remove(ts) {
    this.news.add(ts);
    if (this.rows.delete(ts)) this.layout();
  }

  /** Changes one message by `change`, if it is here. */
  patch(ts, change) {
    const row = this.rows.get(ts);
    if (row) row.update({ ...row.message, ...change(row.message) });
  }

  put(message) {
    const row = this.rows.get(message.ts);
    if (row) row.update(message);
    else this.rows.set(message.ts, new MessageRow(this.channel, message, Boolean(this.thread)));
  }

  layout() {
    const rows = [...this.rows.values()].toSorted((one, other) => Number(one.message.ts) - Number(other.message.ts));
    const nodes = [];
    let last = null;
    for (const row of rows) {
      const day = dayOf(row.message.ts);
      const newDay = !last || dayOf(last.message.ts) !== day;
      if (newDay && !this.thread) nodes.push(this.divider(day));
      row.setCompact(!newDay && follows(row, last));
      nodes.push(row.node);
      if (this.thread && row === rows[0] && rows.length > 1)
        nodes.push(this.divider(`${rows.length - 1} ${rows.length === 2 ? "reply" : "replies"}`, "count"));
      last = row;
    }
    reconcile(this.list, nodes);
    this.stick();
  }

  divider(text, key = text) {
    if (!this.dividers.has(key)) this.dividers.set(key, el("div", { class: "day" }, el("span", {})));
    const node = this.dividers.get(key);
    node.firstChild.textContent = text;
    return node;
  }

  /** Keeps the newest message in sight unless the reader has scrolled up. */
  stick() {
    if (this.sticky) this.node.scrollTop = this.node.scrollHeight;
  }
}

function follows(row, last) {
  const same = row.author.id === last.author.id && row.author.name === last.author.name;
  const soon = Number(row.message.ts) - Number(last.message.ts) < GROUPED_SECONDS;
  return same && soon && !row.message.is_ephemeral && !last.message.is_ephemeral;
}

function statusFrom(status) {
  return { text: status?.text ?? "", turns: status?.loading_messages ?? [], session: status?.session ?? "" };
}
