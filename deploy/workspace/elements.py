"""Interactive elements: where they sit in blocks, what a click on one says, and what a form's state is.

Source: https://docs.slack.dev/reference/block-kit/block-elements and
https://docs.slack.dev/reference/interaction-payloads/block_actions-payload
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .errors import PageError
from .wire import Json

VALUE_OF: dict[str, tuple[str, str | None]] = {
    "plain_text_input": ("value", "initial_value"),
    "number_input": ("value", "initial_value"),
    "email_text_input": ("value", "initial_value"),
    "url_text_input": ("value", "initial_value"),
    "rich_text_input": ("rich_text_value", "initial_value"),
    "static_select": ("selected_option", "initial_option"),
    "external_select": ("selected_option", "initial_option"),
    "radio_buttons": ("selected_option", "initial_option"),
    "overflow": ("selected_option", None),
    "checkboxes": ("selected_options", "initial_options"),
    "multi_static_select": ("selected_options", "initial_options"),
    "multi_external_select": ("selected_options", "initial_options"),
    "users_select": ("selected_user", "initial_user"),
    "multi_users_select": ("selected_users", "initial_users"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "multi_conversations_select": ("selected_conversations", "initial_conversations"),
    "channels_select": ("selected_channel", "initial_channel"),
    "multi_channels_select": ("selected_channels", "initial_channels"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
}
"""For each element that holds a value: the field it is reported in, and the field it starts from."""

LISTS = ("selected_options", "selected_users", "selected_conversations", "selected_channels")


@dataclass(frozen=True)
class Placed:
    """An element and the block that it sits in."""

    block: Json
    element: Json


def walk(blocks: list[Json]) -> Iterator[Placed]:
    """Every interactive element of some blocks, nested ones included."""
    for block in blocks:
        single = [block[name] for name in ("accessory", "element") if isinstance(block.get(name), dict)]
        several = [each for name in ("elements", "actions") for each in block.get(name) or []]
        for element in (*single, *several):
            if isinstance(element, dict) and "action_id" in element:
                yield Placed(block, element)
        yield from walk(block.get("child_blocks") or [])


def find(blocks: list[Json], block_id: str, action_id: str) -> Placed:
    """The element that was used; raises PageError when it is no longer there."""
    for placed in walk(blocks):
        if placed.block.get("block_id") == block_id and placed.element["action_id"] == action_id:
            return placed
    raise PageError("This button or field is no longer part of the message.")


def action(placed: Placed, given: Json, action_ts: str) -> Json:
    """What a use of the element says to the app; `given` is what the page knows of it."""
    element = placed.element
    kind = element["type"]
    said: Json = {
        "type": kind,
        "action_id": element["action_id"],
        "block_id": placed.block["block_id"],
        "action_ts": action_ts,
    }
    if kind == "feedback_buttons":
        return {**said, **_feedback(element, given)}
    if kind in ("button", "workflow_button", "icon_button"):
        return said | {name: element[name] for name in ("text", "value", "style") if name in element}
    return {**said, **_value(element, given)}


def _feedback(element: Json, given: Json) -> Json:
    for name in ("positive_button", "negative_button"):
        if element[name]["value"] == given.get("value"):
            return {"text": element[name]["text"], "value": element[name]["value"]}
    raise PageError("These feedback buttons have no such choice.")


def state(blocks: list[Json], given: Json) -> Json:
    """`state.values` of some blocks: the page's values over the initial ones."""
    values: Json = {}
    for placed in walk(blocks):
        if placed.element["type"] in VALUE_OF and placed.element["type"] != "overflow":
            block_id, action_id = placed.block["block_id"], placed.element["action_id"]
            known = given.get(block_id, {}).get(action_id, {})
            values.setdefault(block_id, {})[action_id] = {
                "type": placed.element["type"],
                **_value(placed.element, known),
            }
    return values


def missing(blocks: list[Json], values: Json) -> dict[str, str]:
    """What Slack's client says of required inputs left empty and texts of the wrong length, by block id."""
    problems = {}
    for block in blocks:
        if block["type"] == "input":
            element = block["element"]
            field, _ = VALUE_OF.get(element["type"], ("value", None))
            value = values.get(block["block_id"], {}).get(element["action_id"], {}).get(field)
            problem = _problem(block, element, value)
            if problem:
                problems[block["block_id"]] = problem
    return problems


def _problem(block: Json, element: Json, value: Any) -> str:
    if value in (None, "", []):
        return "" if block.get("optional") else "Please complete this required field."
    if isinstance(value, str) and len(value) < element.get("min_length", 0):
        return f"Please enter at least {element['min_length']} characters."
    if isinstance(value, str) and len(value) > element.get("max_length", 3000):
        return f"Please enter at most {element.get('max_length', 3000)} characters."
    return ""


def _value(element: Json, given: Json) -> Json:
    field, initial = VALUE_OF.get(element["type"], ("value", None))
    if field in given:
        return {field: given[field]}
    start = element.get(initial) if initial else None
    return {field: [] if start is None and field in LISTS else start}
