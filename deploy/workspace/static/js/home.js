/** The app's Home tab. */

import { attempt, get } from "./api.js";
import { appHeader } from "./conversation.js";
import { renderBlocks } from "./blocks.js";
import { el } from "./dom.js";
import { keepingFocus } from "./focus.js";
import { Form } from "./form.js";
import { on, state } from "./state.js";

let current = null;
on("home", (view) => current && show(view));

/** The first answer may come after the view that the app published because of it: then it is older and is dropped. */
function showFirst(body, answer) {
  if (answer && current?.body === body && !current.form) show(answer.view);
}

/** The Home tab on screen, as its node; asking for it tells the app that it was opened. */
export function openHome() {
  const body = el("div", { class: "home-blocks", dataset: { test: "home-blocks" } });
  const node = el(
    "div",
    { class: "pane", dataset: { test: "home" } },
    appHeader("home"),
    el("div", { class: "scroller home" }, body),
  );
  current = { body, form: null };
  attempt(get("/page/home")).then((answer) => showFirst(body, answer));
  return node;
}

/** Forgets the Home tab when the page shows something else. */
export function leaveHome() {
  current = null;
}

function show(view) {
  if (!view) {
    const note = state.app.connected
      ? `${state.app.name} has not published its Home tab yet.`
      : `${state.app.name} is not connected yet.`;
    current.body.replaceChildren(el("p", { class: "empty", text: note }));
    return;
  }
  current.form = new Form({ view_id: view.id }, current.form);
  keepingFocus(current.body, () => current.body.replaceChildren(...renderBlocks(view.blocks ?? [], current.form)));
}
