"""`views.*`: modals and Home tabs. Source: https://docs.slack.dev/reference/methods/views.open."""

from typing import Any

from .. import views
from ..errors import SlackError, invalid_arguments
from ..triggers import Trigger
from ..wire import Json
from .call import Call


async def open_modal(call: Call) -> Json:
    """Open a modal for the person whose click gave the trigger id."""
    view = views.make(call.workspace, _given(call), "modal")
    views.refuse_known_external_id(call.workspace, view)
    trigger = _trigger(call)
    call.workspace.modals.open(trigger.user_id, view)
    return _shown(call, "view_opened", trigger.user_id, view["id"])


async def push(call: Call) -> Json:
    """Put a modal on top of the one whose click gave the trigger id."""
    view = views.make(call.workspace, _given(call), "modal")
    views.refuse_known_external_id(call.workspace, view)
    trigger = _trigger(call)
    call.workspace.modals.push(trigger.user_id, view)
    return _shown(call, "view_opened", trigger.user_id, view["id"])


async def update(call: Call) -> Json:
    """Give an open modal, or a Home tab, a new definition."""
    view_id, external_id = call.arguments.text("view_id"), call.arguments.text("external_id")
    if view_id is None and external_id is None:
        raise invalid_arguments("one of view_id and external_id is required")
    found = call.workspace.modals.find(view_id, external_id)
    if found is None:
        raise SlackError("not_found")
    user_id, previous = found
    views.require_hash(previous, call.arguments.text("hash"))
    view = views.updated(previous, views.make(call.workspace, _given(call), "modal"))
    call.workspace.modals.replace(view)
    return _shown(call, "view_updated", user_id, view["id"])


async def publish(call: Call) -> Json:
    """Set a person's Home tab."""
    if not call.workspace.manifest.home_tab:
        raise SlackError("not_enabled")
    person = call.workspace.directory.person(call.arguments.need("user_id"))
    view = views.make(call.workspace, _given(call), "home")
    views.require_hash(call.workspace.storage.record("home", person.id), call.arguments.text("hash"))
    return {"view": views.publish_home(call.workspace, person.id, view)}


def _given(call: Call) -> Any:
    return call.arguments.data("view")


def _trigger(call: Call) -> Trigger:
    trigger_id = call.arguments.text("trigger_id") or call.arguments.need("interactivity_pointer")
    return call.workspace.triggers.exchange(trigger_id)


def _shown(call: Call, kind: str, user_id: str, view_id: str) -> Json:
    found = call.workspace.modals.find(view_id)
    if found is None:
        raise SlackError("not_found")
    views.show(call.workspace, kind, user_id, found[1])
    return {"view": found[1]}
