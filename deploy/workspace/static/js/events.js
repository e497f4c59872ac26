/** The live stream of events from the workspace, which comes back by itself after any break. */

import { actingAs } from "./api.js";

const FIRST_WAIT_MS = 400;
const LONGEST_WAIT_MS = 4000;

let source = null;
let timer = 0;
let wait = FIRST_WAIT_MS;

/**
 * Opens the stream for the acting person in place of any earlier one. `onEvent` gets each event;
 * `onBreak` is called when the stream is lost and `onReturn` when it is back, as events in between were missed.
 */
export function listen({ onEvent, onBreak, onReturn }) {
  clearTimeout(timer);
  source?.close();
  let broken = false;
  const connect = () => {
    source = new EventSource(`/page/events?as=${encodeURIComponent(actingAs())}`);
    source.onopen = () => {
      wait = FIRST_WAIT_MS;
      if (broken) onReturn();
      broken = false;
    };
    source.onmessage = (message) => onEvent(JSON.parse(message.data));
    source.onerror = () => {
      source.close();
      if (!broken) onBreak();
      broken = true;
      timer = setTimeout(connect, wait);
      wait = Math.min(wait * 1.6, LONGEST_WAIT_MS);
    };
  };
  connect();
}
