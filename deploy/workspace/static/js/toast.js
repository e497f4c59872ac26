/** Short notices at the foot of the page. */

import { el } from "./dom.js";

const SHOWN_MS = 6000;

/** Shows `text` for some seconds; `kind` is info or error. */
export function toast(text, kind = "info") {
  const note = el("div", { class: `toast ${kind}`, dataset: { test: "toast" }, text });
  const close = el("button", { type: "button", class: "toast-close", "aria-label": "Dismiss", text: "×" });
  close.addEventListener("click", () => note.remove());
  note.append(close);
  document.getElementById("toasts").append(note);
  setTimeout(() => note.remove(), SHOWN_MS);
}
