/** Where the page stands, kept in the address: `?as=U…#C…/thread`, or `#home` for the app's Home tab. */

/** Turns the address of a message, `/archives/C…/p…`, into the place on this page that shows it. */
export function followPermalink() {
  const [, channel, digits] = /^\/archives\/(\w+)\/p(\d+)$/.exec(location.pathname) ?? [];
  if (!channel) return;
  const query = new URLSearchParams(location.search);
  const thread = query.get("thread_ts") ?? `${digits.slice(0, -6)}.${digits.slice(-6)}`;
  query.delete("thread_ts");
  query.delete("cid");
  history.replaceState(null, "", `/?${query}#${channel}/${thread}`);
}

/** The place that the address names: {home: true}, {channel, thread} or {} for none. */
export function place() {
  const [first, thread] = decodeURIComponent(location.hash.slice(1)).split("/");
  if (first === "home") return { home: true };
  return first ? { channel: first, thread: thread || null } : {};
}

/** Goes to a place; the page follows the address. */
export function go({ home, channel, thread }) {
  location.hash = home ? "home" : thread ? `${channel}/${thread}` : channel;
}

/** The person whom the address names, or null. */
export function personInAddress() {
  return new URLSearchParams(location.search).get("as");
}

/** Puts the acting person into the address, so that a reload or a second window is the same person. */
export function rememberPerson(id) {
  const address = new URL(location.href);
  address.searchParams.set("as", id);
  history.replaceState(null, "", address);
}
