/** The interactive side of one message or view: where its clicks go, and what its inputs hold right now. */

import { attempt, post } from "./api.js";
import { confirm } from "./dialog.js";

/** The inputs of one message or view, as Slack's `state.values`. */
export class Form {
  /** `owner` is {message: {channel, ts}} or {view_id}; `earlier` is the form this one takes the place of. */
  constructor(owner, earlier = null) {
    this.owner = owner;
    this.readers = new Map();
    this.before = earlier?.values() ?? {};
  }

  /** Makes the value of an input part of the state; `read` gives it in Slack's shape. */
  register(blockId, actionId, read) {
    this.readers.set(`${blockId}\u0000${actionId}`, { blockId, actionId, read });
  }

  /** What the same input held before a re-render, in Slack's shape; undefined for a new input. */
  earlier(blockId, actionId) {
    return this.before[blockId]?.[actionId];
  }

  /** Slack's `state.values`: block id, then action id, then the value. */
  values() {
    const values = {};
    for (const { blockId, actionId, read } of this.readers.values()) (values[blockId] ??= {})[actionId] = read();
    return values;
  }

  /** Slack's `state`. */
  state() {
    return { values: this.values() };
  }

  /** Sends one click or choice on `element` to the app, after its confirmation if it has one; `node` is busy meanwhile. */
  async act(element, blockId, action, node = null) {
    if (node && isBusy(node)) return;
    if (element.confirm && !(await confirm(element.confirm))) return;
    const body = {
      ...this.owner,
      block_id: blockId,
      action_id: element.action_id,
      action: { type: element.type, ...action },
    };
    const sent = attempt(post("/page/action", { ...body, state: this.state() }));
    await (node ? whileBusy(node, sent) : sent);
  }
}

/** Whether what `node` was clicked for is still under way. */
export function isBusy(node) {
  return node.classList.contains("busy");
}

/** Shows `node` as busy until `work` is done. It is not disabled, since it would then lose the keyboard. */
export async function whileBusy(node, work) {
  node.classList.add("busy");
  node.setAttribute("aria-disabled", "true");
  try {
    return await work;
  } finally {
    node.classList.remove("busy");
    node.removeAttribute("aria-disabled");
  }
}

/** A Slack option or text object without the `html` that only the page needs. */
export function bare(value) {
  if (Array.isArray(value)) return value.map(bare);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== "html")
      .map(([key, part]) => [key, bare(part)]),
  );
}
