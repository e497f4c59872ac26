"""What a person filled into a modal. Each input's block has the name of its one element."""

from typing import Any


def chosen(view: dict[str, Any], field: str) -> str:
    """The value chosen in a select or radio group, empty when nothing was."""
    option = _state(view, field).get("selected_option") or {}
    return str(option.get("value") or "")


def picked(view: dict[str, Any], field: str) -> str:
    """The id of the person or conversation chosen in a select, empty when none was."""
    state = _state(view, field)
    return str(state.get("selected_user") or state.get("selected_conversation") or "")


def ticked(view: dict[str, Any], field: str) -> list[str]:
    """The values of the ticked checkboxes of a group."""
    return [str(option.get("value") or "") for option in _state(view, field).get("selected_options") or []]


def typed(view: dict[str, Any], field: str) -> str:
    """The text typed into an input, without NUL characters, which no database stores."""
    return str(_state(view, field).get("value") or "").replace("\x00", "").strip()


def _state(view: dict[str, Any], field: str) -> dict[str, Any]:
    values = (view.get("state") or {}).get("values") or {}
    found: dict[str, Any] = (values.get(field) or {}).get(field) or {}
    return found
