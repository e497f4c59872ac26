/** What the composer suggests while one types: people after `@`, the app's commands after a leading `/`. */

import { avatarOf } from "./avatar.js";
import { OWN_COMMANDS } from "./commands.js";
import { el } from "./dom.js";
import { icon } from "./icons.js";
import { mentionables } from "./slack_text.js";
import { state } from "./state.js";

const MOST = 8;
let lists = 0;

/** The list of suggestions of one text field. */
export class Suggestions {
  constructor(field, changed) {
    this.field = field;
    this.changed = changed;
    this.items = [];
    this.at = 0;
    const id = `suggestions-${(lists += 1)}`;
    this.node = el("div", {
      class: "suggestions",
      role: "listbox",
      id,
      "aria-label": "Suggestions",
      hidden: true,
      dataset: { test: "suggestions" },
    });
    field.setAttribute("aria-controls", id);
    field.setAttribute("aria-autocomplete", "list");
    field.addEventListener("input", () => this.look());
    field.addEventListener("keydown", (event) => this.onKey(event));
    field.addEventListener("blur", () => this.close());
  }

  /** Starts a suggestion by typing `sign` for the person. */
  begin(sign) {
    const { value, selectionStart: at } = this.field;
    const space = at > 0 && !/\s/.test(value[at - 1]) ? " " : "";
    this.field.setRangeText(space + sign, at, at, "end");
    this.field.focus();
    this.changed();
    this.look();
  }

  /** Writes `text` in place of what is in the field. */
  write(text) {
    this.field.value = text;
    this.field.focus();
    this.changed();
  }

  look() {
    const before = this.field.value.slice(0, this.field.selectionStart);
    const mention = /(^|\s)@([\w-]*(?: [\w-]*)?)$/.exec(before);
    const command = /^\/([\w-]*)$/.exec(before);
    if (mention) this.show(people(mention[2]), mention.index + mention[1].length);
    else if (command) this.show(commands(command[1]), 0);
    else this.close();
  }

  show(items, start) {
    this.items = items.slice(0, MOST);
    this.start = start;
    this.at = 0;
    this.node.replaceChildren(...this.items.map((item, index) => this.row(item, index)));
    this.node.hidden = this.items.length === 0;
    this.mark();
  }

  row({ icon: picture, label, description }, index) {
    const pick = (event) => {
      event.preventDefault();
      this.pick(index);
    };
    return el(
      "div",
      { role: "option", id: `${this.node.id}-${index}`, class: "suggestion", on: { mousedown: pick } },
      picture,
      el("span", { text: label }),
      description && el("small", { text: description }),
    );
  }

  mark() {
    [...this.node.children].forEach((row, index) => row.setAttribute("aria-selected", String(index === this.at)));
    if (this.node.hidden) this.field.removeAttribute("aria-activedescendant");
    else this.field.setAttribute("aria-activedescendant", `${this.node.id}-${this.at}`);
  }

  pick(index) {
    const { text } = this.items[index];
    this.field.setRangeText(text, this.start, this.field.selectionStart, "end");
    this.close();
    this.changed();
  }

  onKey(event) {
    if (this.node.hidden) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) this.at = (this.at + step + this.items.length) % this.items.length;
    else if (event.key === "Enter" || event.key === "Tab") this.pick(this.at);
    else if (event.key === "Escape") this.close();
    else return;
    event.preventDefault();
    event.stopPropagation();
    this.mark();
  }

  close() {
    this.node.hidden = true;
    this.field.removeAttribute("aria-activedescendant");
  }
}

function people(start) {
  const wanted = start.toLowerCase();
  return mentionables()
    .filter(({ name }) => name.toLowerCase().startsWith(wanted) && name.toLowerCase() !== wanted)
    .map(({ id, name, isGroup }) => ({
      text: `@${name} `,
      label: name,
      icon: isGroup ? icon("at") : avatarOf(id, "tiny"),
      description: isGroup ? "Group" : describe(id),
    }));
}

function describe(id) {
  return id === state.app.bot_user_id ? "App" : state.people.find((someone) => someone.id === id)?.title;
}

function commands(start) {
  return [...state.app.commands, ...OWN_COMMANDS]
    .filter(({ command }) => command.startsWith(`/${start}`) && command !== `/${start}`)
    .map(({ command, description, usage_hint: usage }) => ({
      text: `${command} `,
      label: `${command} ${usage ?? ""}`.trim(),
      icon: avatarOf(state.app.bot_user_id, "tiny"),
      description,
    }));
}
