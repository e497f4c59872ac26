/** Changing one's own message in its place. */

import { attempt, post } from "./api.js";
import { button, el } from "./dom.js";
import { decode, encode } from "./slack_text.js";

/** Turns the text of a message row into a field until the person saves or gives up. */
export function editMessage(row) {
  const field = el("textarea", {
    class: "field",
    rows: 2,
    "aria-label": "Edit message",
    dataset: { test: "edit-field" },
  });
  field.value = decode(row.message.text ?? "");
  const leave = () => row.update(row.message);
  const save = async () => {
    const text = encode(field.value.trim());
    if (text && text !== row.message.text)
      await attempt(post("/page/edit", { channel: row.channel, ts: row.message.ts, text }));
    leave();
  };
  field.addEventListener("keydown", (event) => {
    if (event.key === "Escape") leave();
    if (event.key !== "Enter" || event.shiftKey) return;
    event.preventDefault();
    save();
  });
  const cancel = button("Cancel", { class: "button small", onClick: leave });
  const keep = button("Save", { class: "button small primary", onClick: save, "data-test": "edit-save" });
  row.body.replaceChildren(el("div", { class: "edit" }, field, el("div", { class: "edit-buttons" }, cancel, keep)));
  field.focus();
}
