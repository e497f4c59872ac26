"""Whether Slack would accept blocks, a message's blocks as a whole, or a view.

Source: https://docs.slack.dev/reference/block-kit/blocks, and where it is silent what bolt-js#2509 measured.
"""

import json
from collections.abc import Iterator
from typing import Any

from ..wire import Json
from .elements import (
    ACCESSORIES,
    CONTEXT_ACTIONS,
    ELEMENTS,
    IN_ACTIONS,
    INPUTS,
    context_item,
)
from .rules import Rule, Shape, anything, boolean, by_type, choice, integer, many, plain, problem, string, text

MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
MARKDOWN_CHARACTERS = 12_000
ALL_CHARACTERS = 13_200

ID: dict[str, Rule] = {"block_id": string(255)}
TASK = Shape(
    {"task_id": string(255, 1), "title": string(256, 1)},
    {
        **ID,
        "status": choice("pending", "in_progress", "complete", "error"),
        "details": anything,
        "output": anything,
        "sources": anything,
    },
)
BLOCKS: dict[str, Shape] = {
    "section": Shape(
        {},
        {
            **ID,
            "text": text(3000),
            "fields": many(text(2000), 10),
            "accessory": by_type(ELEMENTS, *ACCESSORIES),
            "expand": boolean,
        },
        one_of=("text", "fields"),
    ),
    "divider": Shape({}, ID),
    "header": Shape({"text": plain(150)}, {**ID, "level": integer}),
    "markdown": Shape({"text": string(MARKDOWN_CHARACTERS, 1)}, ID),
    "context": Shape({"elements": many(context_item, 10)}, ID),
    "actions": Shape({"elements": many(by_type(ELEMENTS, *IN_ACTIONS), 25)}, ID),
    "context_actions": Shape({"elements": many(by_type(ELEMENTS, *CONTEXT_ACTIONS), 5)}, ID),
    "input": Shape(
        {"label": plain(2000), "element": by_type(ELEMENTS, *INPUTS)},
        {**ID, "hint": plain(2000), "optional": boolean, "dispatch_action": boolean},
    ),
    "image": Shape(
        {"alt_text": string(2000)},
        {**ID, "image_url": string(3000), "slack_file": anything, "title": plain(2000)},
        one_of=("image_url", "slack_file"),
    ),
    "alert": Shape({"text": text(200)}, {**ID, "level": choice("default", "info", "warning", "error", "success")}),
    "file": Shape({"external_id": string(255), "source": choice("remote")}, ID),
    "rich_text": Shape({"elements": many(anything, 1000, 0)}, ID),
    "table": Shape({"rows": many(many(anything, 20), 100)}, {**ID, "column_settings": anything, "caption": anything}),
    "data_table": Shape({"rows": many(anything, 201)}, {**ID, "caption": anything, "page_size": integer}),
    "task_card": TASK,
    "plan": Shape({"title": string(256)}, {**ID, "tasks": many(TASK, 50, 0)}),
    "video": Shape(
        {"alt_text": string(2000), "title": plain(200), "thumbnail_url": string(3000), "video_url": string(3000)},
        {
            **ID,
            "author_name": string(50),
            "description": plain(200),
            "title_url": string(3000),
            "provider_name": anything,
        },
    ),
    "card": Shape(
        {},
        {
            **ID,
            "hero_image": anything,
            "icon": anything,
            "title": text(150),
            "subtitle": text(150),
            "body": text(200),
            "actions": many(by_type(ELEMENTS, "button"), 3),
        },
        one_of=("hero_image", "title", "actions", "body"),
    ),
    "carousel": Shape({"elements": many(anything, 10)}, ID),
}
BLOCKS["container"] = Shape(
    {"child_blocks": many(by_type(BLOCKS), 10)},
    {
        **ID,
        "title": plain(150),
        "rich_text_title": anything,
        "subtitle": plain(150),
        "icon": anything,
        "width": choice("narrow", "standard", "wide", "full"),
        "is_collapsible": boolean,
        "default_collapsed": boolean,
        "has_header_divider": boolean,
    },
    one_of=("title", "rich_text_title"),
)

CHUNKS_LIMIT = 100
CHUNKS = {
    "markdown_text": Shape({"text": string(MARKDOWN_CHARACTERS)}, {}),
    "task_update": Shape(
        {"id": string(255, 1), "title": string(256, 1)},
        {"status": TASK.optional["status"], "details": anything, "output": anything, "sources": anything},
    ),
    "plan_update": Shape({"title": string(256)}, {}),
    "blocks": Shape({"blocks": many(by_type(BLOCKS), MESSAGE_BLOCKS)}, {}),
}

TITLES: dict[str, Rule] = {"title": plain(24), "submit": plain(24), "close": plain(24)}
VIEW_FIELDS: dict[str, Rule] = {
    "private_metadata": string(3000),
    "callback_id": string(255),
    "external_id": string(255),
    "clear_on_close": boolean,
    "notify_on_close": boolean,
    "submit_disabled": boolean,
}
VIEWS = {
    "modal": Shape({"title": plain(24), "blocks": anything}, {**TITLES, **VIEW_FIELDS}),
    "home": Shape({"blocks": anything}, VIEW_FIELDS),
}


def blocks(value: Any, pointer: str = "/blocks", most: int = MESSAGE_BLOCKS) -> list[str]:
    """The problems with a list of blocks, none if Slack would take it."""
    found = list(many(by_type(BLOCKS), most, 0)(value, pointer))
    return found or list(_whole(value, pointer))


def too_long(value: list[Json]) -> bool:
    """Whether a message's blocks are refused as `msg_blocks_too_long`: markdown, or all text together."""
    markdown = sum(len(block["text"]) for block in value if block["type"] == "markdown")
    return markdown > MARKDOWN_CHARACTERS or len(json.dumps(value, ensure_ascii=False)) > ALL_CHARACTERS


def chunks(value: Any) -> list[str]:
    """The problems with the chunks of a stream, none if Slack would take them."""
    return list(many(by_type(CHUNKS), CHUNKS_LIMIT, 0)(value, "/chunks"))


def view(value: Any) -> list[str]:
    """The problems with a view, none if Slack would take it."""
    found = list(by_type(VIEWS)(value, "/view"))
    found = found or blocks(value["blocks"], "/view/blocks", VIEW_BLOCKS)
    return found or list(_view_as_whole(value))


def _whole(value: list[Json], pointer: str) -> Iterator[str]:
    seen = set()
    for index, block in enumerate(value):
        block_id = block.get("block_id")
        if block_id and block_id in seen:
            yield problem(f"`block_id` {block_id} already exists in the blocks array", f"{pointer}/{index}")
        seen.add(block_id)
        actions = [element.get("action_id") for element in block.get("elements", []) if isinstance(element, dict)]
        doubled = {action for action in actions if action and actions.count(action) > 1}
        for action in sorted(doubled):
            yield problem(f"`action_id` {action} already exists for another element", f"{pointer}/{index}/elements")


def _view_as_whole(value: Json) -> Iterator[str]:
    kinds = {block["type"] for block in value["blocks"]}
    if value["type"] == "modal" and "input" in kinds and not value.get("submit"):
        yield problem("missing required field: submit, when an input block is within the blocks array", "/view")
    for kind in sorted(kinds & {"context_actions", "task_card", "plan"}):
        yield problem(f"unsupported type: {kind}", "/view/blocks")
