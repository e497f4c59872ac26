/** The app's modals: a stack of up to three views, of which the top one is filled in and submitted. */

import { attempt, post, Refused } from "./api.js";
import { renderBlocks } from "./blocks.js";
import { closeDialog, openDialog } from "./dialog.js";
import { button, el, textOf } from "./dom.js";
import { keepingFocus, rememberFocus } from "./focus.js";
import { Form, isBusy, whileBusy } from "./form.js";
import { on } from "./state.js";
import { toast } from "./toast.js";

let stack = [];
let giveBack = null;

on("view_opened", push);
on("view_updated", update);
on("view_closed", pop);

/** Closes all modals without telling the app, as when another person takes over the page. */
export function closeAll() {
  for (const modal of stack) closeDialog(modal.dialog);
  stack = [];
  returnFocus();
}

/** After the last modal the keyboard is where it was before the first. */
function returnFocus() {
  if (stack.length > 0) return;
  giveBack?.();
  giveBack = null;
}

function push(view) {
  if (stack.some((modal) => modal.view.id === view.id)) return update(view);
  if (!view.previous_view_id) closeAll();
  giveBack ??= rememberFocus();
  const modal = {
    view,
    form: null,
    body: el("div", { class: "dialog-body" }),
    footer: el("footer", { class: "dialog-footer" }),
    title: el("span"),
  };
  show(modal, view);
  modal.dialog = openDialog(
    { title: modal.title, className: "modal", test: "modal", onCancel: () => cancel(modal, true) },
    modal.body,
    modal.footer,
  );
  stack.push(modal);
  modal.dialog.addEventListener("keydown", (event) => submitByKey(event, modal));
  firstField(modal)?.focus();
  return undefined;
}

/** Where the cursor begins: the field that the app chose (`focus_on_load`), else the first one, else a button. */
function firstField({ body, footer }) {
  const chosen = body.querySelector("[data-focus]");
  if (chosen) return chosen.matches(".choices") ? chosen.querySelector("input") : chosen;
  return body.querySelector("input, textarea, select, button") ?? footer.querySelector("button");
}

function update(view) {
  const modal = stack.find(({ view: { id } }) => id === view.id);
  if (!modal) return;
  const known = new Set([...modal.body.querySelectorAll("[data-focus]")].map((node) => node.closest(".block").dataset.block));
  keepingFocus(modal.dialog, () => show(modal, view));
  const chosen = modal.body.querySelector("[data-focus]");
  const isNew = chosen && !known.has(chosen.closest(".block").dataset.block);
  if (isNew || !modal.dialog.contains(document.activeElement)) firstField(modal)?.focus();
}

/** Enter in a one-line field submits, as does Ctrl+Enter (⌘+Enter on a Mac) anywhere. */
function submitByKey(event, modal) {
  const fast = event.ctrlKey || event.metaKey;
  const oneLine = event.target.matches("input.field") && !event.shiftKey;
  if (event.key !== "Enter" || event.defaultPrevented || event.isComposing || !(fast || oneLine)) return;
  const submit = modal.footer.querySelector("[data-test='modal-submit']");
  event.preventDefault();
  if (submit) submitView(modal, submit);
}

/** Closes the view `id` and those above it. */
function pop(id) {
  const at = stack.findIndex(({ view }) => view.id === id);
  if (at < 0) return;
  for (const modal of stack.splice(at)) closeDialog(modal.dialog);
  returnFocus();
}

function show(modal, view) {
  modal.view = view;
  modal.form = new Form({ view_id: view.id }, modal.form);
  modal.title.replaceChildren(textOf(view.title));
  modal.body.replaceChildren(...renderBlocks(view.blocks ?? [], modal.form));
  const close = button(
    "",
    { class: "button", onClick: () => cancel(modal), "data-test": "modal-cancel" },
    textOf(view.close ?? "Close"),
  );
  const submit = button(
    "",
    { class: "button primary", onClick: () => submitView(modal, submit), "data-test": "modal-submit" },
    textOf(view.submit ?? ""),
  );
  modal.footer.replaceChildren(close, ...(view.submit ? [submit] : []));
}

/** Closes a modal, or with `cleared` (the cross, Escape) the whole stack, and tells the app. */
async function cancel({ view }, cleared = false) {
  if (cleared) closeAll();
  else pop(view.id);
  const answer = await attempt(post("/page/close_view", { view_id: view.id, cleared }));
  if (answer?.view && !cleared) update(answer.view);
}

async function submitView(modal, submit) {
  if (isBusy(submit)) return;
  showErrors(modal, missing(modal));
  if (modal.body.querySelector(".field-error:not([hidden])")) return;
  try {
    settle(modal, await whileBusy(submit, post("/page/submit", { view_id: modal.view.id, state: modal.form.state() })));
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (error.data?.errors) showErrors(modal, error.data.errors);
    else toast(error.message, "error");
  }
}

/** Does what the app answered to a submission: field errors, another view, or the end. */
function settle(modal, { errors, view, closed, cleared }) {
  if (errors) return showErrors(modal, errors);
  if (cleared) return closeAll();
  if (closed || !view) pop(modal.view.id);
  return view && push(view);
}

/** What Slack itself demands before it bothers the app: every input that is not optional is filled in. */
function missing({ view, form }) {
  const values = form.values();
  const errors = {};
  for (const block of view.blocks ?? []) {
    if (block.type !== "input" || block.optional) continue;
    const { type: _type, ...value } = Object.values(values[block.block_id] ?? {})[0] ?? {};
    const empty = Object.values(value).every((part) => part === null || part.length === 0);
    if (empty) errors[block.block_id] = "Please complete this required field.";
  }
  return errors;
}

function showErrors({ body }, errors) {
  for (const note of body.querySelectorAll(".field-error")) {
    const block = note.closest(".block");
    const text = errors[block.dataset.block] ?? "";
    note.textContent = text;
    note.hidden = !text;
    block.querySelector("[data-test='input']")?.setAttribute("aria-invalid", String(Boolean(text)));
  }
  body
    .querySelector(".field-error:not([hidden])")
    ?.closest(".block")
    .querySelector("input, textarea, select, button")
    ?.focus();
}
