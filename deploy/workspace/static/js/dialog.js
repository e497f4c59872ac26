/** The page's dialogs: focus stays inside, Escape closes, focus goes back to where it was. */

import { button, el, textOf } from "./dom.js";
import { icon } from "./icons.js";

const FOCUSABLE = "button:not([disabled]), input:not([disabled]), select, textarea, a[href], [tabindex='0']";

/** Opens a modal dialog of `parts`; `onCancel` is called for Escape and must close it. Gives the dialog element. */
export function openDialog({ title, className = "", test, onCancel }, ...parts) {
  const heading = title instanceof Node ? title : el("span", { text: title });
  const dialog = el("dialog", { class: `dialog ${className}`, "aria-label": heading.textContent, dataset: { test } });
  const close = button("Close", {
    icon: icon("close"),
    class: "icon-button",
    onClick: onCancel,
    "data-test": "dialog-close",
  });
  dialog.append(el("header", { class: "dialog-header" }, el("h2", {}, heading), close), ...parts);
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    onCancel();
  });
  dialog.addEventListener("keydown", (event) => keepFocus(event, dialog));
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** Closes a dialog for good. */
export function closeDialog(dialog) {
  dialog.close();
  dialog.remove();
}

function keepFocus(event, dialog) {
  if (event.key !== "Tab") return;
  const places = [...dialog.querySelectorAll(FOCUSABLE)].filter((node) => node.offsetParent !== null);
  const edge = event.shiftKey ? places[0] : places.at(-1);
  if (document.activeElement !== edge) return;
  event.preventDefault();
  (event.shiftKey ? places.at(-1) : places[0]).focus();
}

/**
 * Asks by a Slack confirmation object {title, text, confirm, deny, style}; resolves to whether the person agreed.
 * Its texts may be strings.
 */
export function confirm(question) {
  return new Promise((resolve) => {
    const decide = (agreed) => {
      closeDialog(dialog);
      resolve(agreed);
    };
    const deny = button(
      "",
      { class: "button", onClick: () => decide(false), "data-test": "confirm-deny" },
      textOf(question.deny ?? "Cancel"),
    );
    const style = question.style === "danger" ? "danger" : "primary";
    const agree = button(
      "",
      { class: `button ${style}`, onClick: () => decide(true), "data-test": "confirm-agree" },
      textOf(question.confirm ?? "Yes"),
    );
    const dialog = openDialog(
      {
        title: textOf(question.title ?? "Are you sure?"),
        className: "confirm",
        test: "confirm",
        onCancel: () => decide(false),
      },
      textOf(question.text ?? "", "div", { class: "dialog-body" }),
      el("footer", { class: "dialog-footer" }, deny, agree),
    );
    agree.focus();
  });
}
