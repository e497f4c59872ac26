"""What a person filled into a modal. Each input is found by its action id; its block's id may change with the view."""

from datetime import UTC, datetime, timedelta
from typing import Any


def chosen(view: dict[str, Any], field: str) -> str:
    """The value chosen in a select or radio group, empty when nothing was."""
    option = _state(view, field).get("selected_option") or {}
    return str(option.get("value") or "")


def picked(view: dict[str, Any], field: str) -> str:
    """The id of the person or conversation chosen in a select, empty when none was."""
    state = _state(view, field)
    return str(state.get("selected_user") or state.get("selected_conversation") or "")


def many_picked(view: dict[str, Any], field: str) -> list[str]:
    """The ids of the people or conversations chosen in a select of many."""
    state = _state(view, field)
    return [str(id) for id in state.get("selected_users") or state.get("selected_conversations") or []]


def ticked(view: dict[str, Any], field: str) -> list[str]:
    """The values ticked in a group of checkboxes or a select of many."""
    return [str(option.get("value") or "") for option in _state(view, field).get("selected_options") or []]


def typed(view: dict[str, Any], field: str) -> str:
    """The text typed into an input, without NUL characters, which no database stores."""
    return str(_state(view, field).get("value") or "").replace("\x00", "").strip()


def end_of_day(view: dict[str, Any], field: str) -> datetime | None:
    """The end of the day chosen in a calendar, in UTC; None when none was."""
    day = str(_state(view, field).get("selected_date") or "")
    try:
        return datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC) + timedelta(days=1)
    except (ValueError, OverflowError):
        return None


def block_of(view: dict[str, Any], field: str) -> str:
    """The id of the block that an input sits in, under which Slack wants its error."""
    blocks = view.get("blocks") or []
    found = (block["block_id"] for block in blocks if (block.get("element") or {}).get("action_id") == field)
    return str(next(found, field))


def _state(view: dict[str, Any], field: str) -> dict[str, Any]:
    values = (view.get("state") or {}).get("values") or {}
    found: dict[str, Any] = next((block[field] for block in values.values() if block.get(field)), {})
    return found
