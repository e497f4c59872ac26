"""What the page does for the acting person: each route reads one JSON object and answers `ok` or a sentence."""

from typing import Any

from aiohttp import web

from . import events, interactivity, membership, mentions, messages, present, web_api
from .composing import as_stored
from .errors import PageError, SlackError
from .interactivity import Use
from .page_api import WORKSPACE, acting, answer, joinable, visible_channel
from .seed import Channel
from .wire import Json
from .workspace import Workspace

TEXT_LIMIT = 12_000


class Ask:
    """One request of the page, with the person it is for."""

    def __init__(self, workspace: Workspace, body: Json) -> None:
        self.workspace = workspace
        self.body = body
        self.user_id = acting(workspace, body)

    def text(self, name: str) -> str:
        """A required piece of text."""
        value = self.body.get(name)
        if not isinstance(value, str) or not value.strip():
            raise PageError(f"Nothing was given for {name}.")
        return value

    def channel(self) -> Channel:
        """The channel that is meant."""
        return visible_channel(self.workspace, self.user_id, self.text("channel"))

    def message(self) -> Json:
        """The message that is meant, as the person sees it."""
        return messages.find(self.workspace, self.channel(), self.text("ts"), self.user_id)

    def own_message(self) -> Json:
        """The message that is meant; raises PageError when someone else wrote it."""
        message = self.message()
        if message["user"] != self.user_id:
            raise PageError("Only the person who wrote a message can change it.")
        return message

    def values(self) -> Json:
        """The values of the fields on screen: the page sends Slack's own `state` object."""
        values: Json = _objects(self.object("state"), "state").get("values", {})
        for block in _objects(values, "values").values():
            _objects(block, "values")
        return values

    def object(self, name: str) -> Json:
        """A JSON object, empty when absent."""
        value = self.body.get(name) or {}
        if not isinstance(value, dict):
            raise PageError(f"The page sends a JSON object for {name}.")
        return value

    def view(self) -> Json:
        """The open modal or Home tab that is meant; raises PageError when it is not this person's."""
        view_id = self.text("view_id")
        found = self.workspace.modals.find(view_id)
        if found is not None and found[0] == self.user_id:
            return found[1]
        home = self.workspace.storage.record("home", self.user_id)
        if home is None or home["id"] != view_id:
            raise PageError("This view is no longer open.")
        return home


async def read(request: web.Request) -> Ask:
    """The request; only JSON is taken, which no other site's form can send."""
    if request.content_type != "application/json":
        raise PageError("The page sends JSON.")
    body: Any = await request.json()
    if not isinstance(body, dict):
        raise PageError("The page sends a JSON object.")
    return Ask(request.app[WORKSPACE], body)


async def open_channel(request: web.Request) -> web.Response:
    """A person opened a channel; in the direct message this opens the app's Messages tab."""
    ask = await read(request)
    channel = ask.channel()
    ask.workspace.storage.mark_read(channel.id, ask.user_id)
    mentions.seen(ask.workspace, ask.user_id, channel)
    if messages.is_direct(channel):
        events.home_opened(ask.workspace, ask.user_id, "messages")
    return answer({})


async def invite(request: web.Request) -> web.Response:
    """Bring a person or the bot into a channel that one is in."""
    ask = await read(request)
    membership.join(ask.workspace, ask.channel(), ask.text("user"), ask.user_id)
    return answer({})


async def join(request: web.Request) -> web.Response:
    """Go into a public channel oneself."""
    ask = await read(request)
    wanted = ask.text("channel")
    channel = next((each for each in joinable(ask.workspace, ask.user_id) if each.id == wanted), None)
    if channel is None:
        raise PageError("You cannot go into this channel.")
    membership.join(ask.workspace, channel, ask.user_id)
    return answer({})


async def leave(request: web.Request) -> web.Response:
    """Go out of a channel, or take another out of it."""
    ask = await read(request)
    membership.leave(ask.workspace, ask.channel(), str(ask.body.get("user") or ask.user_id))
    return answer({})


async def post(request: web.Request) -> web.Response:
    """Post a message as the person."""
    ask = await read(request)
    channel = ask.channel()
    text = as_stored(ask.text("text")[:TEXT_LIMIT], ask.workspace.directory)
    thread_ts = messages.thread_of(ask.workspace, channel, ask.body.get("thread_ts") or None)
    author = messages.by_person(ask.workspace, ask.user_id)
    message = messages.post(ask.workspace, author, messages.Draft(channel, {"text": text}, thread_ts))
    return answer({"ts": message["ts"], "message": present.message(message)})


async def edit(request: web.Request) -> web.Response:
    """Change the text of one's own message."""
    ask = await read(request)
    text = as_stored(ask.text("text")[:TEXT_LIMIT], ask.workspace.directory)
    messages.replace(ask.workspace, ask.own_message(), {"text": text}, ask.user_id)
    return answer({})


async def delete(request: web.Request) -> web.Response:
    """Delete one's own message, or dismiss one that only oneself sees."""
    ask = await read(request)
    message = ask.message()
    if message.get("is_ephemeral"):
        messages.delete(ask.workspace, message, ask.user_id)
    else:
        messages.delete(ask.workspace, ask.own_message())
    return answer({})


async def react(request: web.Request) -> web.Response:
    """Add or remove the person's reaction."""
    ask = await read(request)
    name = ask.text("name").strip(":")
    if ask.body.get("remove"):
        messages.unreact(ask.workspace, ask.user_id, ask.message(), name)
    else:
        messages.react(ask.workspace, ask.user_id, ask.message(), name)
    return answer({})


async def action(request: web.Request) -> web.Response:
    """Use a button, menu or field in a message or a view."""
    ask = await read(request)
    use = Use(ask.text("block_id"), ask.text("action_id"), ask.object("action"), ask.values())
    if ask.body.get("view_id"):
        await interactivity.use_in_view(ask.workspace, ask.user_id, ask.view(), use)
    else:
        await interactivity.use_in_message(ask.workspace, ask.user_id, _clicked(ask), use)
    return answer({})


async def suggestion(request: web.Request) -> web.Response:
    """The options that the app offers for what was typed in an external select."""
    ask = await read(request)
    use = Use(ask.text("block_id"), ask.text("action_id"), {"value": ask.body.get("value", "")}, {})
    place = {"view": ask.view()} if ask.body.get("view_id") else {"message": messages.public(_clicked(ask))}
    return answer(await interactivity.suggestions(ask.workspace, ask.user_id, place, use))


async def submit(request: web.Request) -> web.Response:
    """Submit a modal and wait for what the app says to it."""
    ask = await read(request)
    outcome = await interactivity.submit(ask.workspace, ask.user_id, ask.view(), ask.values())
    if outcome.get("view"):
        outcome["view"] = present.view(outcome["view"])
    return answer(outcome)


async def close_view(request: web.Request) -> web.Response:
    """Close a modal, or with `cleared` the whole stack."""
    ask = await read(request)
    await interactivity.close_view(ask.workspace, ask.user_id, ask.view(), bool(ask.body.get("cleared")))
    below = ask.workspace.modals.top(ask.user_id)
    return answer({"view": None if below is None else present.view(below)})


async def command(request: web.Request) -> web.Response:
    """Run a slash command of the app."""
    ask = await read(request)
    name = ask.text("command")
    if name not in {each["command"] for each in ask.workspace.manifest.commands}:
        raise PageError(f"{name} is not a command that an app here has.")
    await interactivity.command(ask.workspace, ask.user_id, ask.channel(), name, str(ask.body.get("text") or ""))
    return answer({})


async def shortcut(request: web.Request) -> web.Response:
    """Run a shortcut of the app, alone or on a message."""
    ask = await read(request)
    callback_id = ask.text("callback_id")
    known = ask.workspace.manifest.shortcut(callback_id)
    if known is None:
        raise PageError("The app has no such shortcut.")
    if known["type"] == "message":
        await interactivity.message_shortcut(ask.workspace, ask.user_id, callback_id, ask.message())
    else:
        await interactivity.global_shortcut(ask.workspace, ask.user_id, callback_id)
    return answer({})


async def stop(request: web.Request) -> web.Response:
    """Press Stop in a thread: its streams take no more, and the app is told."""
    ask = await read(request)
    web_api.streaming.stop_by_user(ask.workspace, ask.user_id, ask.channel(), ask.text("thread_ts"))
    return answer({})


async def uninstall(request: web.Request) -> web.Response:
    """Tell the app that it was removed; its tokens stay valid here, so that it can go on in the same workspace."""
    ask = await read(request)
    events.uninstalled(ask.workspace)
    return answer({})


def _objects(value: Any, name: str) -> Json:
    if not isinstance(value, dict) or not all(isinstance(each, dict) for each in value.values()):
        raise PageError(f"The page sends JSON objects within {name}.")
    return value


def _clicked(ask: Ask) -> Json:
    place = ask.body.get("message")
    if not isinstance(place, dict):
        raise PageError("Nothing was given for message.")
    channel = visible_channel(ask.workspace, ask.user_id, str(place.get("channel")))
    return messages.find(ask.workspace, channel, str(place.get("ts")), ask.user_id)


def sentence(refused: SlackError) -> str:
    """Slack's error codes in words, where the page can run into them."""
    known = {
        "message_not_found": "This message no longer exists.",
        "thread_not_found": "This thread no longer exists.",
        "already_reacted": "You have already reacted with this emoji.",
        "no_reaction": "You have not reacted with this emoji.",
        "already_in_channel": "They are in this channel already.",
        "not_in_channel": "They are not in this channel.",
        "user_not_found": "There is nobody of that name who could come in.",
        "method_not_supported_for_channel_type": "Nobody else can come into a direct message.",
    }
    return known.get(refused.code, f"Slack would refuse this: {refused.code}.")
