"""Block Kit's rules: Slack's own models and ours agree on what is too much."""

from typing import Any

import pytest
from slack_sdk.models.blocks import Block

from deploy.workspace.block_kit import check, with_ids

Json = dict[str, Any]


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def button(**fields: Any) -> Json:
    return {"type": "button", "action_id": "a", "text": plain("Go"), **fields}


FEEDBACK = {
    "type": "feedback_buttons",
    "action_id": "vote",
    "positive_button": {"text": plain("Good"), "value": "up"},
    "negative_button": {"text": plain("Bad"), "value": "down"},
}
OPTION = {"text": plain("One"), "value": "1"}

GOOD = [
    {"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3000}, "accessory": button()},
    {"type": "section", "fields": [plain("a"), plain("b")]},
    {"type": "header", "text": plain("x" * 150)},
    {"type": "divider"},
    {"type": "context", "elements": [plain("a"), {"type": "image", "image_url": "http://x/y.png", "alt_text": "y"}]},
    {"type": "actions", "elements": [button(style="primary", value="v", url="http://x")]},
    {"type": "context_actions", "elements": [FEEDBACK]},
    {
        "type": "input",
        "label": plain("L"),
        "element": {"type": "plain_text_input", "action_id": "a", "multiline": True},
    },
    {"type": "input", "label": plain("L"), "element": {"type": "radio_buttons", "action_id": "a", "options": [OPTION]}},
    {"type": "image", "image_url": "http://x/y.png", "alt_text": "y"},
    {"type": "markdown", "text": "**x**"},
    {"type": "task_card", "task_id": "1", "title": "Search", "status": "complete"},
    {"type": "table", "rows": [[{"type": "raw_text", "text": "x"}]]},
]

BAD: list[tuple[Json, str]] = [
    ({"type": "song"}, "unsupported type: song [json-pointer:/blocks/0/type]"),
    ({"type": "section"}, "missing required field: one of text, fields [json-pointer:/blocks/0]"),
    ({"type": "section", "text": plain("")}, "must be more than 0 characters [json-pointer:/blocks/0/text/text]"),
    ({"type": "divider", "color": "red"}, "invalid additional property: color [json-pointer:/blocks/0]"),
    ({"type": "header", "text": {"type": "mrkdwn", "text": "x"}}, "unsupported type: mrkdwn"),
    ({"type": "header", "text": plain("x" * 151)}, "must be less than 151 characters"),
    ({"type": "actions", "elements": []}, "no fewer than 1 items allowed"),
    ({"type": "actions", "elements": [button()] * 26}, "no more than 25 items allowed"),
    ({"type": "actions", "elements": [button(), button()]}, "`action_id` a already exists"),
    ({"type": "actions", "elements": [FEEDBACK]}, "unsupported type: feedback_buttons"),
    ({"type": "actions", "elements": [button(text=plain("x" * 76))]}, "must be less than 76 characters"),
    ({"type": "actions", "elements": [button(style="green")]}, "must be one of: primary, danger"),
    ({"type": "context_actions", "elements": [FEEDBACK] * 6}, "no more than 5 items allowed"),
    ({"type": "context", "elements": [plain("x")] * 11}, "no more than 10 items allowed"),
    ({"type": "markdown", "text": "x" * 12_001}, "must be less than 12001 characters"),
]


@pytest.mark.parametrize("block", GOOD, ids=lambda block: block["type"])
def test_good_blocks_pass_here_and_in_slacks_models(block: Json) -> None:
    assert check.blocks([block]) == []
    parsed = Block.parse(block)
    if parsed is not None:
        parsed.validate_json()


@pytest.mark.parametrize(("block", "words"), BAD, ids=lambda value: value["type"] if isinstance(value, dict) else "")
def test_bad_blocks_are_refused_with_the_place(block: Json, words: str) -> None:
    problems = check.blocks([block])
    assert problems
    assert problems[0].startswith(f"[ERROR] {words}")


def test_a_block_id_may_stand_once() -> None:
    twice = [{"type": "divider", "block_id": "x"}, {"type": "divider", "block_id": "x"}]
    assert "already exists" in check.blocks(twice)[0]
    ids = [block["block_id"] for block in with_ids([{"type": "divider"}, {"type": "divider"}])]
    assert len(set(ids)) == 2
