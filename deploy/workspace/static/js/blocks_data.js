/** Draws the blocks that show data: tables, alerts, cards, tasks and plans, files, containers. */

import { el, rich, textOf } from "./dom.js";
import { image, renderElement } from "./elements.js";
import { icon } from "./icons.js";

function cell(content, tag, setting = {}) {
  const value = content?.html ?? "";
  const classes = [setting.align ? `align-${setting.align}` : "", content?.type === "raw_number" ? "align-right" : ""];
  const shown = value || String(content?.value ?? content?.text ?? "");
  const props = { class: classes.join(" ").trim() || null, scope: tag === "th" ? "col" : null };
  return value ? rich(tag, value, props) : el(tag, { ...props, text: shown });
}

function table({ rows, column_settings: settings = [] }) {
  const line = (row, tag) =>
    el(
      "tr",
      {},
      row.map((content, index) => cell(content, tag, settings[index] ?? {})),
    );
  const [head, ...body] = rows;
  return el(
    "div",
    { class: "table-scroll", tabindex: "0", role: "region", "aria-label": "Table" },
    el(
      "table",
      {},
      el("thead", {}, line(head, "th")),
      el(
        "tbody",
        {},
        body.map((row) => line(row, "td")),
      ),
    ),
  );
}

const ALERT_ICONS = { warning: "warn", error: "warn", success: "check" };

function alert({ text, level = "default" }) {
  return el(
    "div",
    { class: `alert ${level}`, role: level === "error" ? "alert" : "note" },
    icon(ALERT_ICONS[level] ?? "info"),
    textOf(text, "div", { class: "rich" }),
  );
}

function card(block, form) {
  return el(
    "div",
    { class: "card" },
    block.hero_image && image(block.hero_image, "card-hero"),
    el(
      "div",
      { class: "card-head" },
      block.icon && image(block.icon, "card-icon"),
      el(
        "div",
        {},
        textOf(block.title, "div", { class: "card-title" }),
        textOf(block.subtitle, "div", { class: "card-subtitle" }),
      ),
    ),
    textOf(block.body, "div", { class: "rich" }),
    block.actions &&
      el(
        "div",
        { class: "card-actions" },
        block.actions.map((one) => renderElement(one, block.block_id, form)),
      ),
  );
}

const TASK_ICONS = { complete: "check", error: "warn", pending: "clock" };
const TASK_WORDS = { complete: "Done", error: "Failed", pending: "Waiting", in_progress: "In progress" };

function taskCard({ title, status = "pending", details, output, sources = [] }) {
  const words = TASK_WORDS[status] ?? status;
  const mark = el("span", { class: `task-mark ${status}`, role: "img", "aria-label": words, title: words });
  if (TASK_ICONS[status]) mark.append(icon(TASK_ICONS[status]));
  const more = [details, output].filter(Boolean);
  return el(
    "div",
    { class: "task", dataset: { test: "task", status } },
    mark,
    el(
      "div",
      { class: "task-main" },
      typeof title === "string"
        ? el("div", { class: "task-title", text: title })
        : textOf(title, "div", { class: "task-title" }),
      more.map((part) => textOf(part, "div", { class: "rich task-more" })),
      sources.length > 0 && el("div", { class: "task-sources" }, sources.map(source)),
    ),
  );
}

function source({ url, text }) {
  const safe = /^https?:/i.test(url ?? "");
  return el(
    "a",
    { class: "chip", href: safe ? url : null, target: "_blank", rel: "noopener noreferrer" },
    icon("link"),
    text ?? url,
  );
}

function plan({ title, tasks = [] }) {
  const done = tasks.filter((task) => task.status === "complete").length;
  return el(
    "div",
    { class: "plan" },
    el(
      "div",
      { class: "plan-title" },
      typeof title === "string" ? el("strong", { text: title }) : textOf(title, "strong"),
      tasks.length > 0 && el("small", { text: `${done} of ${tasks.length}` }),
    ),
    tasks.map(taskCard),
  );
}

function container(block, form, renderBlock) {
  const head = block.rich_text_title ?? block.title;
  const parts = block.child_blocks.map((child) => renderBlock(child, form));
  if (!block.is_collapsible) return el("div", { class: "card" }, textOf(head, "div", { class: "card-title" }), parts);
  const summary = el("summary", {}, textOf(head, "span", { class: "card-title" }));
  return el("details", { class: "card", open: !block.default_collapsed }, summary, parts);
}

function carousel(block, form) {
  return el(
    "div",
    { class: "carousel", tabindex: "0" },
    block.elements.map((one) => card(one, form)),
  );
}

function file(block) {
  return el("span", { class: "chip" }, icon("file"), block.external_id ?? "File");
}

/** How each data block is drawn: (block, form, renderBlock) gives its node. */
export const DATA_BLOCKS = {
  table,
  data_table: table,
  alert,
  card,
  container,
  carousel,
  task_card: taskCard,
  plan,
  file,
};
