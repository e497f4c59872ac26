/** The middle of the page for a channel or the app's messages: header, messages, suggested prompts, composer. */

import { attempt, post } from "./api.js";
import { avatarOf } from "./avatar.js";
import { composer, send } from "./composer.js";
import { button, el } from "./dom.js";
import { icon } from "./icons.js";
import { go } from "./route.js";
import { sidebarButton } from "./sidebar.js";
import { appChannel, channel, on, state } from "./state.js";
import { Timeline } from "./timeline.js";

/** The conversation with `id` on screen: {node, timeline}. Opening it marks it as read. */
export function openConversation(id) {
  const timeline = new Timeline(id);
  const isApp = appChannel()?.id === id;
  const prompts = el("div", { class: "prompts", dataset: { test: "prompts" } });
  const node = el(
    "div",
    { class: "pane", dataset: { test: "conversation", channel: id } },
    isApp ? appHeader("messages") : channelHeader(channel(id)),
    timeline.node,
    isApp && prompts,
    composer({ channel: id, placeholder: isApp ? `Message ${state.app.name}` : `Message #${channel(id).name}` }),
  );
  if (isApp) {
    showPrompts(prompts, id);
    current = { prompts, id };
  }
  timeline.load().then(() => timeline.rows.size === 0 && timeline.list.append(emptyNote(id, isApp)));
  attempt(post("/page/open", { channel: id }));
  return { node, timeline };
}

let current = null;
on("prompts", (id) => current?.id === id && showPrompts(current.prompts, id));

function channelHeader({ name, topic, kind }) {
  const sign = icon(kind === "private" ? "lock" : "hash");
  return el(
    "header",
    { class: "pane-header" },
    sidebarButton(),
    el("h1", {}, sign, name),
    topic && el("p", { class: "topic", text: topic, title: topic }),
  );
}

/** The header of the app's place, with its two tabs. */
export function appHeader(tab) {
  const tabs = [
    ["home", "Home", () => go({ home: true })],
    ["messages", "Messages", () => go({ channel: appChannel().id })],
  ].map(([key, label, open]) =>
    el(
      "button",
      {
        type: "button",
        role: "tab",
        "aria-selected": String(key === tab),
        dataset: { test: `tab-${key}` },
        on: { click: open },
      },
      label,
    ),
  );
  return el(
    "header",
    { class: "pane-header app-header" },
    sidebarButton(),
    el("h1", {}, avatarOf(state.app.bot_user_id, "small"), state.app.name, el("span", { class: "badge", text: "APP" })),
    el("div", { class: "tabs", role: "tablist" }, tabs),
  );
}

function showPrompts(holder, id) {
  const { title, prompts } = state.prompts.get(id) ?? channel(id).prompts ?? { prompts: state.app.suggested_prompts };
  const chips = (prompts ?? []).map((prompt) =>
    button(prompt.title, {
      class: "prompt",
      title: prompt.message,
      "data-test": "prompt",
      onClick: () => send(id, prompt.message),
    }),
  );
  holder.replaceChildren(...(chips.length ? [el("p", { text: title || "Try asking" }), ...chips] : []));
}

function emptyNote(id, isApp) {
  const about = isApp ? state.app.description : channel(id).topic;
  const title = isApp ? `Ask ${state.app.name}` : `This is the beginning of #${channel(id).name}`;
  return el("div", { class: "empty" }, el("h2", { text: title }), about && el("p", { text: about }));
}
