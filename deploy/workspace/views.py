"""Views: modals and Home tabs, with the fields that Slack adds to them.

Source: https://docs.slack.dev/reference/interaction-payloads/view-interactions-payload
"""

import secrets
from typing import Any

from . import present
from .block_kit import check, with_ids
from .elements import state
from .errors import SlackError, invalid_arguments
from .modals import new_hash
from .wire import Json
from .workspace import Workspace

VIEW_LIMIT_BYTES = 250_000
CONTENT_FIELDS = ("title", "submit", "close")


def make(workspace: Workspace, given: Any, kind: str) -> Json:
    """A complete view out of an app's definition; raises `invalid_arguments` where it breaks a rule."""
    if not isinstance(given, dict):
        raise invalid_arguments("missing required field: view")
    if len(str(given)) > VIEW_LIMIT_BYTES:
        raise SlackError("view_too_large")
    problems = check.view(given)
    if given.get("type") != kind:
        problems.append(f"invalid value: expected type {kind} [json-pointer:/view/type]")
    if problems:
        raise invalid_arguments(*problems)
    return {**_identity(workspace), **_content(given), "type": kind}


def updated(previous: Json, given: Json) -> Json:
    """A view with a new definition but the old identity; what was typed stays where the inputs stay."""
    kept = {name: previous[name] for name in ("id", "root_view_id", "previous_view_id")}
    values = state(given["blocks"], previous["state"]["values"])
    return {**given, **kept, "state": {"values": values}, "hash": new_hash()}


def require_hash(view: Json | None, expected: str | None) -> None:
    """Raises `hash_conflict` when the caller knew an older state of the view."""
    if expected is not None and (view is None or view["hash"] != expected):
        raise SlackError("hash_conflict")


def show(workspace: Workspace, kind: str, user_id: str, view: Json) -> None:
    """Show a view in the pages of its person: `view_opened`, `view_updated` or `home`."""
    workspace.feed.publish({"type": kind, "view": present.view(view)}, {user_id})


def hide(workspace: Workspace, user_id: str, view_id: str) -> None:
    """Tell the pages of a person that a view closed."""
    workspace.feed.publish({"type": "view_closed", "view_id": view_id}, {user_id})


def publish_home(workspace: Workspace, user_id: str, view: Json) -> Json:
    """Store and show a person's Home tab."""
    previous = workspace.storage.record("home", user_id)
    placed = updated(previous, view) if previous else {**view, "root_view_id": view["id"]}
    workspace.storage.put_record("home", user_id, placed)
    show(workspace, "home", user_id, placed)
    return placed


def refuse_known_external_id(workspace: Workspace, view: Json) -> None:
    """Raises `duplicate_external_id` when an open view has the same one."""
    if view["external_id"] and workspace.modals.find(None, view["external_id"]):
        raise SlackError("duplicate_external_id")


def _identity(workspace: Workspace) -> Json:
    seed = workspace.seed
    return {
        "id": f"V{secrets.token_hex(5).upper()}",
        "team_id": seed.team_id,
        "app_id": seed.app_id,
        "app_installed_team_id": seed.team_id,
        "bot_id": seed.bot_id,
        "hash": new_hash(),
        "root_view_id": None,
        "previous_view_id": None,
    }


def _content(given: Json) -> Json:
    return {
        "blocks": with_ids(given["blocks"]),
        "state": {"values": {}},
        "private_metadata": given.get("private_metadata") or "",
        "callback_id": given.get("callback_id") or "",
        "external_id": given.get("external_id") or "",
        "clear_on_close": bool(given.get("clear_on_close")),
        "notify_on_close": bool(given.get("notify_on_close")),
        **{name: given.get(name) for name in CONTENT_FIELDS},
    }
