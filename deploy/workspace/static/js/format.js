/** How moments and names read: times, days, Slack's date patterns, initials. */

import { channelName, groupHandle, personName, state } from "./state.js";

const LOCALE = "en-GB";

/** The moment that a Slack `ts` names. */
export function moment(ts) {
  return new Date(Number(ts) * 1000);
}

/** The time of day of a Slack `ts`, as 09:41. */
export function timeOf(ts) {
  return write(moment(ts), { hour: "2-digit", minute: "2-digit" });
}

/** The day and time of a Slack `ts` in full, for a tooltip. */
export function fullTime(ts) {
  return write(moment(ts), { dateStyle: "full", timeStyle: "medium" });
}

/** The day of a Slack `ts` as a divider says it: Today, Yesterday, or the date. */
export function dayOf(ts) {
  return pretty(moment(ts), { weekday: "long", day: "numeric", month: "long" });
}

/** How long ago a Slack `ts` was, in words. */
export function ago(ts) {
  const seconds = Math.max(0, Date.now() / 1000 - Number(ts));
  const units = [
    [86400, "day"],
    [3600, "hour"],
    [60, "minute"],
  ];
  const [size, unit] = units.find(([length]) => seconds >= length) ?? [1, null];
  if (!unit) return "just now";
  return new Intl.RelativeTimeFormat(LOCALE, { numeric: "auto" }).format(-Math.floor(seconds / size), unit);
}

/** The one or two letters that stand for a name in an avatar. */
export function initials(name) {
  const words = name.split(/[\s-]+/).filter(Boolean);
  return ((words[0]?.[0] ?? "?") + (words.length > 1 ? words.at(-1)[0] : "")).toUpperCase();
}

/** A file's size in words. */
export function fileSize(bytes) {
  if (!bytes) return "";
  return bytes < 1024
    ? `${bytes} B`
    : bytes < 1048576
      ? `${Math.round(bytes / 1024)} KB`
      : `${(bytes / 1048576).toFixed(1)} MB`;
}

/** Puts names into mentions and local times into dates below `root`. */
export function localise(root) {
  for (const node of root.querySelectorAll(".mention[data-user]")) {
    node.textContent = `@${personName(node.dataset.user)}`;
    node.classList.toggle("me", node.dataset.user === state.me?.id);
  }
  for (const node of root.querySelectorAll(".mention[data-group]")) {
    const group = state.usergroups.find((some) => some.id === node.dataset.group);
    node.textContent = groupHandle(node.dataset.group) ?? node.textContent;
    node.title = (group?.users ?? []).map(personName).join(", ");
    node.classList.toggle("me", Boolean(group?.users.includes(state.me?.id)));
  }
  for (const node of root.querySelectorAll(".channel-link"))
    node.textContent = `#${channelName(node.dataset.channel, node.textContent)}`;
  for (const node of root.querySelectorAll("time[data-ts]")) {
    const written = slackDate(node.dataset.ts, node.dataset.format);
    if (written) node.textContent = written;
  }
}

function write(date, options) {
  return new Intl.DateTimeFormat(LOCALE, options).format(date);
}

function pretty(date, options) {
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(date).setHours(0, 0, 0, 0)) / 86400000);
  return { 0: "Today", 1: "Yesterday", "-1": "Tomorrow" }[days] ?? write(date, options);
}

const LONG = { weekday: "long", day: "numeric", month: "long", year: "numeric" };
const MIDDLE = { day: "numeric", month: "long", year: "numeric" };
const SHORT = { day: "numeric", month: "short", year: "numeric" };
const PATTERNS = {
  date_num: (date) => date.toISOString().slice(0, 10),
  date: (date) => write(date, MIDDLE),
  date_short: (date) => write(date, SHORT),
  date_long: (date) => write(date, LONG),
  date_pretty: (date) => pretty(date, MIDDLE),
  date_short_pretty: (date) => pretty(date, SHORT),
  date_long_pretty: (date) => pretty(date, LONG),
  time: (date) => write(date, { hour: "2-digit", minute: "2-digit" }),
  time_secs: (date) => write(date, { hour: "2-digit", minute: "2-digit", second: "2-digit" }),
  ago: (date) => ago(date.getTime() / 1000),
};

/** A moment written by one of Slack's date patterns, such as "{date_short} at {time}"; null when it is no moment. */
export function slackDate(seconds, pattern) {
  const date = moment(seconds);
  if (Number.isNaN(date.getTime())) return null;
  return pattern.replace(/\{(\w+)\}/g, (token, name) => PATTERNS[name]?.(date) ?? token);
}
