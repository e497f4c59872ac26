/** Block Kit's inputs: each registers with the form how its value reads in Slack's `state.values`. */

import { el } from "./dom.js";
import { bare } from "./form.js";
import { choiceList, multiPicker } from "./choices.js";
import { activePeople, state } from "./state.js";

const TEXT_TYPES = { plain_text_input: "text", email_text_input: "email", url_text_input: "url", number_input: "text" };

/** Sends the value to the app when it changes, for inputs outside an input block or with `dispatch_action`. */
function dispatchOn(event, node, { element, blockId, form, dispatch }, read) {
  if (!dispatch) return;
  node.addEventListener(event, () => {
    const { type: _type, ...value } = read();
    form.act(element, blockId, value);
  });
}

function textInput(element, blockId, form, dispatch) {
  const held = form.earlier(blockId, element.action_id)?.value ?? element.initial_value ?? "";
  const common = {
    class: "field",
    placeholder: element.placeholder?.text,
    maxlength: element.max_length,
    dataset: { action: element.action_id, test: "input" },
  };
  const node = element.multiline
    ? el("textarea", { ...common, rows: 4 })
    : el("input", {
        ...common,
        type: TEXT_TYPES[element.type],
        inputmode: element.type === "number_input" ? "decimal" : null,
      });
  node.value = held;
  const read = () => ({ type: element.type, value: node.value === "" ? null : node.value });
  form.register(blockId, element.action_id, read);
  dispatchTyped(node, { element, blockId, form, dispatch }, read);
  return node;
}

/** Texts are sent at Enter, or with every character where the app asks for that (`dispatch_action_config`). */
function dispatchTyped(node, use, read) {
  const when = use.element.dispatch_action_config?.trigger_actions_on ?? ["on_enter_pressed"];
  if (when.includes("on_character_entered")) dispatchOn("input", node, use, read);
  if (!when.includes("on_enter_pressed") || !use.dispatch) return;
  node.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.ctrlKey || event.metaKey || event.isComposing) return;
    event.preventDefault();
    node.dispatchEvent(new Event("entered"));
  });
  dispatchOn("entered", node, use, read);
}

function peopleOptions() {
  return activePeople().map((someone) => ({ text: { text: someone.real_name || someone.name }, value: someone.id }));
}

function channelOptions() {
  return state.channels.map((some) => ({
    text: { text: some.kind === "im" ? some.name : `#${some.name}` },
    value: some.id,
  }));
}

/** Where each kind of select takes its options from, and how its value is called in Slack's state. */
const SELECTS = {
  static_select: {
    one: "selected_option",
    many: "selected_options",
    whole: true,
    options: (element) => allOptions(element),
  },
  users_select: { one: "selected_user", many: "selected_users", options: peopleOptions },
  channels_select: { one: "selected_channel", many: "selected_channels", options: channelOptions },
  conversations_select: { one: "selected_conversation", many: "selected_conversations", options: channelOptions },
};

function allOptions(element) {
  return element.options ?? (element.option_groups ?? []).flatMap((group) => group.options);
}

function initialOf(element, kind, many) {
  const name = (many ? kind.many : kind.one).replace("selected", "initial");
  return element[name];
}

function singleSelect(element, blockId, form, dispatch) {
  const kind = SELECTS[element.type];
  const options = kind.options(element);
  const held = form.earlier(blockId, element.action_id)?.[kind.one] ?? initialOf(element, kind, false);
  const node = el("select", { class: "field select", dataset: { action: element.action_id, test: "input" } });
  const rows = options.map((option) => el("option", { value: option.value, text: option.text.text }));
  const placeholder = element.placeholder?.text ?? "Choose…";
  node.append(el("option", { value: "", text: placeholder }), ...grouped(element, rows));
  node.value = (kind.whole ? held?.value : held) ?? "";
  const chosen = () => options.find((option) => option.value === node.value);
  const read = () => ({ type: element.type, [kind.one]: kind.whole ? bare(chosen() ?? null) : node.value || null });
  form.register(blockId, element.action_id, read);
  dispatchOn("change", node, { element, blockId, form, dispatch }, read);
  return node;
}

function grouped(element, rows) {
  if (!element.option_groups) return rows;
  let at = 0;
  return element.option_groups.map((group) => {
    const mine = rows.slice(at, at + group.options.length);
    at += group.options.length;
    return el("optgroup", { label: group.label.text }, mine);
  });
}

function multiSelect(element, blockId, form, dispatch) {
  const kind = SELECTS[element.type.replace("multi_", "")];
  const options = kind.options(element);
  const held = form.earlier(blockId, element.action_id)?.[kind.many] ?? initialOf(element, kind, true) ?? [];
  const values = held.map((one) => (kind.whole ? one.value : one));
  const { node, picked } = multiPicker(options, values, {
    placeholder: element.placeholder?.text ?? "Choose…",
    action: element.action_id,
    most: element.max_selected_items,
  });
  const read = () => ({
    type: element.type,
    [kind.many]: picked().map((option) => (kind.whole ? bare(option) : option.value)),
  });
  form.register(blockId, element.action_id, read);
  dispatchOn("change", node, { element, blockId, form, dispatch }, read);
  return node;
}

function choices(element, blockId, form, dispatch) {
  const many = element.type === "checkboxes";
  const name = many ? "selected_options" : "selected_option";
  const held = form.earlier(blockId, element.action_id)?.[name] ?? element[name.replace("selected", "initial")] ?? [];
  const values = [held].flat().map((option) => option.value);
  const { node, picked } = choiceList(element.options, values, { many, action: element.action_id });
  const read = () => ({ type: element.type, [name]: bare(many ? picked() : (picked()[0] ?? null)) });
  form.register(blockId, element.action_id, read);
  dispatchOn("change", node, { element, blockId, form, dispatch }, read);
  return node;
}

function moment(type, name) {
  return (element, blockId, form, dispatch) => {
    const node = el("input", { class: "field", type, dataset: { action: element.action_id, test: "input" } });
    node.value = form.earlier(blockId, element.action_id)?.[name] ?? element[name.replace("selected", "initial")] ?? "";
    const read = () => ({ type: element.type, [name]: node.value || null });
    form.register(blockId, element.action_id, read);
    dispatchOn("change", node, { element, blockId, form, dispatch }, read);
    return node;
  };
}

/** A day and a time, which Slack tells as seconds since 1970. */
function dayAndTime(element, blockId, form, dispatch) {
  const node = el("input", {
    class: "field",
    type: "datetime-local",
    dataset: { action: element.action_id, test: "input" },
  });
  const held = form.earlier(blockId, element.action_id)?.selected_date_time ?? element.initial_date_time;
  if (held) node.value = localMinute(new Date(held * 1000));
  const seconds = () => (node.value ? Math.floor(new Date(node.value).getTime() / 1000) : null);
  const read = () => ({ type: element.type, selected_date_time: seconds() });
  form.register(blockId, element.action_id, read);
  dispatchOn("change", node, { element, blockId, form, dispatch }, read);
  return node;
}

function localMinute(date) {
  return new Date(date.getTime() - date.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
}

/** How each kind of input is made: (element, blockId, form, whether a change is sent to the app) gives its node. */
export const INPUTS = {
  plain_text_input: textInput,
  email_text_input: textInput,
  url_text_input: textInput,
  number_input: textInput,
  static_select: singleSelect,
  users_select: singleSelect,
  channels_select: singleSelect,
  conversations_select: singleSelect,
  multi_static_select: multiSelect,
  multi_users_select: multiSelect,
  multi_channels_select: multiSelect,
  multi_conversations_select: multiSelect,
  radio_buttons: choices,
  checkboxes: choices,
  datepicker: moment("date", "selected_date"),
  timepicker: moment("time", "selected_time"),
  datetimepicker: dayAndTime,
};
