"""What people do with the app's buttons, forms, shortcuts and commands, sent to the app as Slack does.

Source: https://docs.slack.dev/reference/interaction-payloads
"""

from dataclasses import dataclass
from typing import Any

from . import elements, messages, views
from .block_kit import check, with_ids
from .delivery import PayloadKind
from .errors import NotDelivered, PageError, SlackError
from .seed import Channel, ChannelKind
from .wire import Json
from .workspace import Workspace

UNREACHABLE = "The app is not connected, so nobody took this. Start the app and try again."
SILENT = "The app did not answer within {seconds:g} seconds. Try again."


@dataclass(frozen=True)
class Use:
    """A use of one element: where it sits, what was chosen, and the values of all fields around it."""

    block_id: str
    action_id: str
    chosen: Json
    values: Json


async def ask(workspace: Workspace, kind: PayloadKind, payload: Json) -> Json:
    """Hand an interaction to the app and give its answer; raises PageError when it cannot be had."""
    if not workspace.courier.connected:
        raise PageError(UNREACHABLE)
    try:
        return await workspace.courier.ask(kind, payload)
    except NotDelivered:
        raise PageError(SILENT.format(seconds=workspace.timing.ack_s)) from None


async def use_in_message(workspace: Workspace, user_id: str, message: Json, use: Use) -> None:
    """A click or choice in a message."""
    blocks = message.get("blocks", [])
    placed = elements.find(blocks, use.block_id, use.action_id)
    channel = workspace.directory.channel(message["channel"])
    container: Json = {
        "type": "message",
        "message_ts": message["ts"],
        "channel_id": channel.id,
        "is_ephemeral": bool(message.get("is_ephemeral")),
    }
    if "thread_ts" in message:
        container["thread_ts"] = message["thread_ts"]
    key = workspace.response_urls.new(user_id, channel.id, message["ts"], message.get("thread_ts"))
    payload = {
        **_base(workspace, user_id, "block_actions"),
        "container": container,
        "channel": _channel(channel),
        "state": {"values": elements.state(blocks, use.values)},
        "response_url": response_url(workspace, key),
        "actions": [elements.action(placed, use.chosen, workspace.clock.next())],
    }
    if not message.get("is_ephemeral"):
        payload["message"] = messages.public(message)
    await ask(workspace, PayloadKind.INTERACTIVE, payload)


async def use_in_view(workspace: Workspace, user_id: str, view: Json, use: Use) -> None:
    """A click or choice in a modal or a Home tab."""
    placed = elements.find(view["blocks"], use.block_id, use.action_id)
    current = {**view, "state": {"values": elements.state(view["blocks"], use.values)}}
    _remember(workspace, user_id, current)
    payload = {
        **_base(workspace, user_id, "block_actions", view["id"]),
        "container": {"type": "view", "view_id": view["id"]},
        "view": current,
        "actions": [elements.action(placed, use.chosen, workspace.clock.next())],
    }
    await ask(workspace, PayloadKind.INTERACTIVE, payload)


async def suggestions(workspace: Workspace, user_id: str, place: Json, use: Use) -> Json:
    """The options that the app offers for what was typed in an external select."""
    payload = {
        **_base(workspace, user_id, "block_suggestion"),
        **place,
        "block_id": use.block_id,
        "action_id": use.action_id,
        "value": use.chosen.get("value", ""),
    }
    return await ask(workspace, PayloadKind.INTERACTIVE, payload)


async def submit(workspace: Workspace, user_id: str, view: Json, values: Json) -> Json:
    """Submit a modal; gives what the page has to show: errors, another view, or that it closed."""
    state = elements.state(view["blocks"], values)
    problems = elements.missing(view["blocks"], state)
    if problems:
        return {"errors": problems}
    current = {**view, "state": {"values": state}}
    _remember(workspace, user_id, current)
    payload = {**_base(workspace, user_id, "view_submission", view["id"]), "view": current, "response_urls": []}
    answer = await ask(workspace, PayloadKind.INTERACTIVE, payload)
    return _after_submission(workspace, user_id, current, answer)


async def close_view(workspace: Workspace, user_id: str, view: Json, cleared: bool) -> None:
    """Close a modal, or all of them, and tell the app if it wants to know."""
    if cleared:
        workspace.modals.clear(user_id)
    else:
        workspace.modals.pop(user_id, view["id"])
    views.hide(workspace, user_id, view["id"])
    if view["notify_on_close"] and workspace.courier.connected:
        payload = {**_base(workspace, user_id, "view_closed"), "view": view, "is_cleared": cleared}
        await ask(workspace, PayloadKind.INTERACTIVE, payload)


async def global_shortcut(workspace: Workspace, user_id: str, callback_id: str) -> None:
    """Run a shortcut that stands alone."""
    payload = {
        **_base(workspace, user_id, "shortcut"),
        "callback_id": callback_id,
        "action_ts": workspace.clock.next(),
    }
    await ask(workspace, PayloadKind.INTERACTIVE, payload)


async def message_shortcut(workspace: Workspace, user_id: str, callback_id: str, message: Json) -> None:
    """Run a shortcut on a message."""
    channel = workspace.directory.channel(message["channel"])
    key = workspace.response_urls.new(user_id, channel.id, message["ts"], message.get("thread_ts"))
    payload = {
        **_base(workspace, user_id, "message_action"),
        "callback_id": callback_id,
        "action_ts": workspace.clock.next(),
        "message_ts": message["ts"],
        "message": messages.public(message),
        "channel": _channel(channel),
        "response_url": response_url(workspace, key),
    }
    await ask(workspace, PayloadKind.INTERACTIVE, payload)


async def command(workspace: Workspace, user_id: str, channel: Channel, name: str, text: str) -> None:
    """Run a slash command; what the app answers at once is shown to the person, or to the channel if it says so."""
    person = workspace.directory.person(user_id)
    key = workspace.response_urls.new(user_id, channel.id)
    payload = {
        "token": "local",
        "team_id": workspace.seed.team_id,
        "team_domain": "local",
        "channel_id": channel.id,
        "channel_name": channel.name,
        "user_id": user_id,
        "user_name": person.name,
        "command": name,
        "text": text,
        "api_app_id": workspace.seed.app_id,
        "is_enterprise_install": "false",
        "response_url": response_url(workspace, key),
        "trigger_id": workspace.triggers.new(user_id),
    }
    answer = await ask(workspace, PayloadKind.COMMAND, payload)
    if answer.get("text") or answer.get("blocks"):
        _post_answer(workspace, user_id, channel, answer)


def response_url(workspace: Workspace, key: str) -> str:
    """The address where the app may answer an interaction later."""
    return f"{workspace.url}/actions/{workspace.seed.team_id}/{key}"


def answer_response_url(workspace: Workspace, key: str, answer: Json) -> None:
    """Carry out what the app posted to a response URL."""
    reply = workspace.response_urls.use(key)
    channel = workspace.directory.channel(reply.channel)
    clicked = workspace.storage.message(channel.id, reply.ts, reply.user_id) if reply.ts else None
    viewer = reply.user_id if clicked and clicked.get("is_ephemeral") else ""
    if _truth(answer.get("delete_original")) and clicked:
        messages.delete(workspace, clicked, viewer)
    elif _truth(answer.get("replace_original")) and clicked:
        _replace(workspace, clicked, viewer, answer)
    else:
        thread_ts = answer.get("thread_ts") or reply.thread_ts
        _post_answer(workspace, reply.user_id, channel, answer, thread_ts)


def _replace(workspace: Workspace, clicked: Json, viewer: str, answer: Json) -> None:
    content = {"blocks": [], **_content(answer)}
    if viewer:
        messages.replace_ephemeral(workspace, viewer, clicked, content)
    else:
        messages.replace(workspace, clicked, content, workspace.seed.bot_user_id)


def _post_answer(
    workspace: Workspace, user_id: str, channel: Channel, answer: Json, thread_ts: str | None = None
) -> None:
    draft = messages.Draft(channel, _content(answer), thread_ts)
    if answer.get("response_type") == "in_channel":
        messages.post(workspace, messages.by_app(workspace), draft)
    else:
        messages.post_ephemeral(workspace, user_id, draft)


def _content(answer: Json) -> Json:
    content: Json = {"text": str(answer.get("text") or "")}
    if answer.get("blocks"):
        problems = check.blocks(answer["blocks"])
        if problems:
            raise SlackError("invalid_blocks", response_metadata={"messages": problems})
        content["blocks"] = with_ids(answer["blocks"])
    elif not content["text"]:
        raise SlackError("no_text")
    return content


def _after_submission(workspace: Workspace, user_id: str, view: Json, answer: Json) -> Json:
    action = answer.get("response_action")
    if action == "errors":
        return {"errors": _known_errors(view, answer)}
    if action == "clear":
        workspace.modals.clear(user_id)
        return {"closed": True, "cleared": True}
    if action in ("update", "push"):
        return {"view": _next_view(workspace, user_id, view, answer)}
    workspace.modals.pop(user_id, view["id"])
    below = workspace.modals.top(user_id)
    return {"closed": True} if below is None else {"closed": True, "view": below}


def _next_view(workspace: Workspace, user_id: str, view: Json, answer: Json) -> Json:
    try:
        made = views.make(workspace, answer.get("view"), "modal")
        if answer["response_action"] == "push":
            return workspace.modals.push(user_id, made)
    except SlackError as refused:
        raise PageError(f"The app answered with a view that Slack refuses: {refused.code} {refused.extra}") from None
    placed = views.updated(view, made)
    workspace.modals.replace(placed)
    return placed


def _known_errors(view: Json, answer: Json) -> dict[str, str]:
    errors: dict[str, str] = answer.get("errors") or {}
    inputs = {block["block_id"] for block in view["blocks"] if block["type"] == "input"}
    unknown = set(errors) - inputs
    if unknown or not errors:
        raise PageError(f"The app answered with errors for fields that the form has not: {', '.join(sorted(unknown))}")
    return errors


def _remember(workspace: Workspace, user_id: str, view: Json) -> None:
    if view["type"] == "home":
        workspace.storage.put_record("home", user_id, view)
    else:
        workspace.modals.replace(view)


def _base(workspace: Workspace, user_id: str, kind: str, view_id: str | None = None) -> Json:
    seed = workspace.seed
    person = workspace.directory.person(user_id)
    base: Json = {
        "type": kind,
        "user": {"id": user_id, "username": person.name, "name": person.name, "team_id": seed.team_id},
        "team": {"id": seed.team_id, "domain": "local"},
        "api_app_id": seed.app_id,
        "token": "local",
        "enterprise": None,
        "is_enterprise_install": False,
    }
    if kind not in ("view_closed", "block_suggestion"):
        base["trigger_id"] = workspace.triggers.new(user_id, view_id)
    return base


def _channel(channel: Channel) -> Json:
    return {"id": channel.id, "name": "directmessage" if channel.kind is ChannelKind.DIRECT else channel.name}


def _truth(value: Any) -> bool:
    return str(value).lower() in ("true", "1")
