/** The left of the page: the team, who one is acting as, the conversations and the app. */

import { actingAs, attempt, post } from "./api.js";
import { avatarOf } from "./avatar.js";
import { button, el } from "./dom.js";
import { icon } from "./icons.js";
import { go } from "./route.js";
import { activePeople, appChannel, person, refresh, state } from "./state.js";

/** The button that shows the sidebar where the window is too narrow for it to stand beside the conversation. */
export function sidebarButton() {
  return button("Show channels and people", {
    icon: icon("menu"),
    class: "icon-button sidebar-toggle",
    "aria-controls": "sidebar",
    "data-test": "sidebar-toggle",
    onClick: () => unfold(true),
  });
}

/** Unfolds the sidebar over a narrow window, or folds it away again. */
export function unfold(open) {
  const app = document.getElementById("app");
  const wasOpen = app.classList.contains("sidebar-open");
  app.classList.toggle("sidebar-open", open);
  if (open) document.querySelector("#sidebar [aria-current], #sidebar button")?.focus();
  else if (wasOpen) document.querySelector(".sidebar-toggle")?.focus();
}

/** Draws the sidebar; `onPerson` is called with the id of the person to act as, `onHelp` for the guide. */
export function drawSidebar({ onPerson, onHelp }) {
  const app = appChannel();
  const channels = state.channels.filter((some) => some.kind !== "im");
  const direct = state.channels.filter((some) => some.kind === "im" && some.id !== app?.id);
  const sidebar = document.getElementById("sidebar");
  const focused = sidebar.contains(document.activeElement) ? document.activeElement.dataset.test : null;
  sidebar.replaceChildren(
    el(
      "header",
      { class: "team" },
      el("img", { src: "/static/moon.svg", alt: "", class: "team-moon" }),
      el("strong", { text: state.team.name }),
      button("Show the guide", { icon: icon("help"), class: "icon-button", "data-test": "help", onClick: onHelp }),
    ),
    people(onPerson),
    el(
      "div",
      { class: "sidebar-scroll" },
      group("Channels", [...channels.map(channelLink), ...state.open_channels.map(joinLink)]),
      direct.length > 0 && group("Direct messages", direct.map(directLink)),
      apps(app),
    ),
  );
  if (focused) sidebar.querySelector(`[data-test="${focused}"]`)?.focus();
}

function people(onPerson) {
  const humans = activePeople().filter((someone) => !someone.is_bot);
  const faces = humans.map((someone) => {
    const mine = someone.id === actingAs();
    return el(
      "button",
      {
        type: "button",
        class: "face",
        role: "radio",
        "aria-checked": String(mine),
        "aria-label": `Act as ${someone.real_name}, ${someone.title}`,
        title: `${someone.real_name} · ${someone.title}`,
        dataset: { test: `person-${someone.id}` },
        on: { click: () => onPerson(someone.id) },
      },
      avatarOf(someone.id),
      el("small", { text: someone.real_name.split(" ")[0] }),
    );
  });
  const me = person(actingAs()) ?? state.me;
  return el(
    "section",
    { class: "people", "aria-label": "Acting as" },
    el(
      "p",
      { class: "acting" },
      "Acting as ",
      el("strong", { text: me.real_name, dataset: { test: "acting" } }),
      me.title && el("span", { class: "role", text: me.title }),
    ),
    el("div", { class: "faces", role: "radiogroup", "aria-label": "Act as" }, faces),
  );
}

function group(title, links) {
  return el("section", { class: "group", "aria-label": title }, el("h2", { text: title }), links);
}

function link({ test, current, unread = 0, pings = 0, open }, ...parts) {
  return el(
    "button",
    {
      type: "button",
      class: unread ? "place unread" : "place",
      "aria-current": current ? "page" : null,
      dataset: { test },
      on: { click: open },
    },
    parts,
    pings > 0 && el("span", { class: "ping-count", "aria-label": `you were called ${pings} times`, text: `@${pings}` }),
    unread > 0 && el("span", { class: "unread-count", "aria-label": `${unread} unread`, text: String(unread) }),
  );
}

function channelLink(some) {
  const current = state.place?.channel === some.id;
  const sign = icon(some.kind === "private" ? "lock" : "hash");
  return link(
    {
      test: `channel-${some.name}`,
      current,
      unread: some.unread,
      pings: some.pings,
      open: () => go({ channel: some.id }),
    },
    sign,
    el("span", { class: "place-name", text: some.name }),
  );
}

/** A channel that one is not in yet: a click goes in. */
function joinLink({ id, name, topic }) {
  const open = async () => {
    if (!(await attempt(post("/page/join", { channel: id })))) return;
    await attempt(refresh(actingAs()));
    go({ channel: id });
  };
  const node = link(
    { test: `join-${name}`, open },
    icon("hash"),
    el("span", { class: "place-name", text: `Join ${name}` }),
  );
  node.classList.add("joinable");
  node.title = topic;
  return node;
}

function directLink(some) {
  const current = state.place?.channel === some.id;
  return link(
    { test: `direct-${some.with}`, current, unread: some.unread, open: () => go({ channel: some.id }) },
    avatarOf(some.with, "tiny"),
    el("span", { class: "place-name", text: person(some.with)?.real_name ?? some.name }),
  );
}

function apps(app) {
  const dot = el("span", {
    class: state.app.connected ? "presence on" : "presence",
    title: state.app.connected ? "Connected" : "Not connected",
  });
  return el(
    "section",
    { class: "group", "aria-label": "Apps" },
    el("h2", { text: "Apps" }),
    app &&
      link(
        {
          test: "app-messages",
          current: state.place?.channel === app.id,
          unread: app.unread,
          pings: app.pings,
          open: () => go({ channel: app.id }),
        },
        avatarOf(state.app.bot_user_id, "tiny"),
        el("span", { class: "place-name", text: state.app.name }),
        dot,
      ),
    state.app.home_tab !== false &&
      link(
        { test: "app-home", current: Boolean(state.place?.home), open: () => go({ home: true }) },
        icon("home"),
        el("span", { class: "place-name", text: "Home" }),
      ),
  );
}
