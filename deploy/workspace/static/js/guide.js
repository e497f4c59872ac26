/** The welcome for a newcomer: what can be tried here. It stays beside the conversation until it is put away. */

import { writeInComposer } from "./composer.js";
import { button, el, rich } from "./dom.js";
import { icon } from "./icons.js";
import { state } from "./state.js";
import { toast } from "./toast.js";

const PUT_AWAY = "guide-put-away";

/** Whether the guide is to be shown: it is until someone has put it away in this browser. */
export function guideWanted() {
  return Boolean(state.welcome) && localStorage.getItem(PUT_AWAY) === null;
}

/** Remembers whether the guide is wanted. */
export function wantGuide(wanted) {
  if (wanted) localStorage.removeItem(PUT_AWAY);
  else localStorage.setItem(PUT_AWAY, "yes");
}

/** The guide's text; what it says to type is written into the composer, and copied, by one click. */
function steps() {
  const text = rich("div", state.welcome_html, { class: "rich guide-text" });
  for (const code of text.querySelectorAll("code")) {
    const take = () => {
      navigator.clipboard?.writeText(code.textContent).catch(() => {});
      if (code.textContent.startsWith("@")) writeInComposer(code.textContent);
      else toast("Copied");
    };
    code.setAttribute("role", "button");
    code.tabIndex = 0;
    code.title = code.textContent.startsWith("@") ? "Write this into the message field" : "Copy this";
    code.addEventListener("click", take);
    code.addEventListener("keydown", (event) => event.key === "Enter" && take());
  }
  return text;
}

/** The guide's node; `onClose` is called when the person puts it away. */
export function guide(onClose) {
  return el(
    "div",
    { class: "pane guide", dataset: { test: "guide" } },
    el(
      "header",
      { class: "guide-sky" },
      button("Put the guide away", {
        icon: icon("close"),
        class: "icon-button",
        onClick: onClose,
        "data-test": "guide-close",
      }),
      el("img", { src: "/static/moon.svg", alt: "" }),
      el("h1", { text: `Welcome to ${state.team.name}` }),
      el("p", { text: state.app.description ?? "" }),
    ),
    el("div", { class: "scroller" }, steps()),
    el(
      "footer",
      { class: "guide-foot" },
      button("Got it", { class: "button primary", onClick: onClose, "data-test": "guide-done" }),
      el("small", { text: "Find this again under ? at the top left." }),
    ),
  );
}
