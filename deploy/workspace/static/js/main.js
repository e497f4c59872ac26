/** Starts the page: who one is, where one stands, and what is shown there. */

import { actAs, attempt, get } from "./api.js";
import { openConversation } from "./conversation.js";
import { el } from "./dom.js";
import { listen } from "./events.js";
import { guide, guideWanted, wantGuide } from "./guide.js";
import { leaveHome, openHome } from "./home.js";
import { icon } from "./icons.js";
import { apply } from "./live.js";
import { closeAll } from "./modal.js";
import { followPermalink, go, personInAddress, place, rememberPerson } from "./route.js";
import { drawSidebar, unfold } from "./sidebar.js";
import { channel, loadEmoji, on, refresh, state } from "./state.js";
import { openThread } from "./thread.js";

const main = document.getElementById("main");
const side = document.getElementById("side");
const banner = el("div", { class: "banner", role: "status", hidden: true, dataset: { test: "banner" } });

let conversation = null;
let thread = null;
let lost = false;

/** The lists of messages that are on screen. */
function timelines() {
  return [conversation?.timeline, thread?.timeline].filter(Boolean);
}

/** Becomes person `id`, or the first person of the workspace. */
async function become(id) {
  actAs(id ?? "");
  closeAll();
  await refresh(id);
  actAs(state.me.id);
  rememberPerson(state.me.id);
  state.statuses.clear();
  state.prompts.clear();
  conversation = thread = null;
  state.place = null;
  follow();
  listen({ onEvent: (event) => apply(event, timelines()), onBreak: () => setLost(true), onReturn: comeBack });
}

/** After a break: everything that may have changed meanwhile is fetched again. */
async function comeBack() {
  setLost(false);
  if ((await attempt(refresh(state.me.id).then(() => true))) === undefined) return;
  for (const timeline of timelines()) timeline.load();
  if (state.place?.home) showMain({ home: true });
}

function setLost(isLost) {
  lost = isLost;
  drawBanner();
}

function drawBanner() {
  const words = lost
    ? "The connection to the workspace is lost. Trying again…"
    : `${state.app.name} is not connected. Messages are kept, but nothing answers until it is back.`;
  banner.hidden = !lost && state.app.connected;
  banner.replaceChildren(icon("warn"), words);
}

/** Shows what the address names. */
function follow() {
  const wanted = place();
  if (!wanted.home && !channel(wanted.channel)) {
    const first = state.channels.find((some) => some.kind !== "im") ?? state.channels[0];
    if (first) go({ channel: first.id });
    return;
  }
  const before = state.place ?? {};
  state.place = wanted;
  if (before.channel !== wanted.channel || before.home !== wanted.home) showMain(wanted);
  showSide(wanted);
  draw();
}

function showMain(wanted) {
  leaveHome();
  conversation = wanted.home ? null : openConversation(wanted.channel);
  main.replaceChildren(banner, wanted.home ? openHome() : conversation.node);
  if (!wanted.thread) main.querySelector("textarea")?.focus();
  const known = channel(wanted.channel);
  if (known) known.unread = known.pings = 0;
}

function showSide(wanted) {
  if (!wanted.thread) thread = null;
  else if (thread?.timeline.thread !== wanted.thread || thread.timeline.channel !== wanted.channel) {
    thread = openThread(wanted.channel, wanted.thread);
  }
  const node = thread?.node ?? (guideWanted() ? guide(() => toggleGuide(false)) : null);
  side.hidden = !node;
  side.classList.toggle("with-guide", Boolean(node) && !thread);
  side.setAttribute("aria-label", thread ? "Thread" : "Guide");
  if (node !== side.firstElementChild) side.replaceChildren(...(node ? [node] : []));
  if (thread) thread.timeline.stick();
}

function toggleGuide(wanted) {
  wantGuide(wanted);
  if (wanted && state.place?.thread) go({ channel: state.place.channel });
  else showSide(state.place);
}

function draw() {
  document.title = `${state.me.real_name} · ${state.team.name}`;
  drawSidebar({ onPerson: (id) => attempt(become(id)), onHelp: () => toggleGuide(!guideWanted() || Boolean(thread)) });
  drawBanner();
}

/** What arrived in the open conversation has been seen: reading it is how the workspace learns that. */
function markSeen() {
  const open = channel(state.place?.channel);
  if (!open?.unread && !open?.pings) return;
  open.unread = open.pings = 0;
  attempt(get("/page/messages", { channel: open.id }));
}

on("state", () => {
  if (!state.place) return;
  if (!state.place.home && !channel(state.place.channel)) {
    follow(); // one has left the channel that was open
    return;
  }
  markSeen();
  draw();
});
addEventListener("hashchange", () => {
  unfold(false);
  follow();
});
document.getElementById("shade").addEventListener("click", () => unfold(false));
addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented) return;
  unfold(false);
  if (!state.place?.thread) return;
  if (event.target.value) return;
  if (!document.querySelector("dialog[open], [popover]:popover-open")) go({ channel: state.place.channel });
});

followPermalink();
await attempt(loadEmoji());
await attempt(become(personInAddress()));
