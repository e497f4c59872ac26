"""What the page reads: the state of the workspace as one person sees it, messages, and the live feed."""

import contextlib
import json
from collections.abc import Mapping

from aiohttp import web

from . import events, mentions, present
from .errors import PageError
from .seed import Channel, ChannelKind, Person, UserGroup
from .wire import Json
from .workspace import Workspace

WORKSPACE = web.AppKey("workspace", Workspace)
PAGE_KINDS = {ChannelKind.PUBLIC: "channel", ChannelKind.PRIVATE: "private", ChannelKind.DIRECT: "im"}
KEEP_ALIVE = b": still here\n\n"


def acting(workspace: Workspace, values: Mapping[str, str]) -> str:
    """The id of the person that the page acts as; raises PageError for nobody."""
    user_id = str(values.get("as", ""))
    person = workspace.directory.people.get(user_id)
    if person is None or person.is_bot:
        raise PageError("Choose who you are first.")
    if person.deleted:
        raise PageError(f"The account of {person.real_name} was deactivated.")
    return user_id


def visible_channel(workspace: Workspace, user_id: str, channel_id: str) -> Channel:
    """A channel that the person is in; raises PageError otherwise."""
    channel = workspace.directory.channels.get(channel_id)
    if channel is None or user_id not in channel.members:
        raise PageError("You are not in this channel.")
    return channel


def joinable(workspace: Workspace, user_id: str) -> list[Channel]:
    """The public channels that a member of this team could go into; guests and other teams see only their own."""
    person = workspace.directory.people[user_id]
    if (
        person.is_restricted
        or person.is_ultra_restricted
        or workspace.directory.team_of(user_id) != workspace.seed.team_id
    ):
        return []
    channels = workspace.directory.channels.values()
    return [each for each in channels if each.kind is ChannelKind.PUBLIC and user_id not in each.members]


async def state(request: web.Request) -> web.Response:
    """Everything that the page needs to draw itself; who has not said who they are is the first person."""
    workspace = request.app[WORKSPACE]
    user_id = acting(workspace, request.query) if "as" in request.query else workspace.seed.people[0].id
    people = workspace.directory.people
    return answer(
        {
            "team": {"id": workspace.seed.team_id, "name": workspace.seed.team_name},
            "me": _person(people[user_id], workspace.directory.team_of(user_id)),
            "people": [_person(person, workspace.directory.team_of(person.id)) for person in people.values()],
            "usergroups": [_usergroup(group) for group in workspace.directory.usergroups.values()],
            "open_channels": [_open_channel(each) for each in joinable(workspace, user_id)],
            "channels": [_channel(workspace, user_id, each) for each in workspace.directory.of_member(user_id)],
            "app": _app(workspace),
            "welcome": workspace.seed.welcome,
            "welcome_html": present.markdown(workspace.seed.welcome),
        }
    )


async def read_messages(request: web.Request) -> web.Response:
    """The messages of a channel or of one thread, oldest first, with the thread's status line."""
    workspace = request.app[WORKSPACE]
    user_id = acting(workspace, request.query)
    channel = visible_channel(workspace, user_id, request.query.get("channel", ""))
    thread_ts = request.query.get("thread_ts")
    line = None
    if thread_ts:
        found = workspace.storage.thread(channel.id, thread_ts, viewer=user_id)
        line = workspace.sessions.thread(channel.id, thread_ts).shown()
    else:
        found = workspace.storage.history(channel.id, viewer=user_id)[::-1]
        workspace.storage.mark_read(channel.id, user_id)
        mentions.seen(workspace, user_id, channel)
    return answer({"messages": [present.message(message) for message in found], "status": line})


async def home(request: web.Request) -> web.Response:
    """A person's Home tab; opening it tells the app, whose newer view then comes by the feed."""
    workspace = request.app[WORKSPACE]
    user_id = acting(workspace, request.query)
    events.home_opened(workspace, user_id, "home")
    view = workspace.storage.record("home", user_id)
    return answer({"view": None if view is None else present.view(view)})


async def feed(request: web.Request) -> web.StreamResponse:
    """The live feed as server-sent events."""
    workspace = request.app[WORKSPACE]
    user_id = acting(workspace, request.query)
    headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
    response = web.StreamResponse(headers=headers)
    await response.prepare(request)
    with workspace.feed.subscription(user_id) as subscription:
        first = {"type": "app", "connected": workspace.courier.connected}
        await response.write(_event(json.dumps(first)))
        with contextlib.suppress(ConnectionError):
            while (line := await subscription.next()) is not None:
                await response.write(_event(line) if line else KEEP_ALIVE)
    return response


def answer(values: Json) -> web.Response:
    """A good answer to the page."""
    return web.json_response({"ok": True, **values}, headers={"Cache-Control": "no-store"})


def refusal(message: str) -> web.Response:
    """An answer that says what cannot be done."""
    return web.json_response({"ok": False, "error": message})


def _event(line: str) -> bytes:
    return f"data: {line}\n\n".encode()


def _person(person: Person, team_id: str) -> Json:
    return {
        "id": person.id,
        "name": person.name,
        "real_name": person.real_name,
        "title": person.title,
        "color": person.color,
        "is_bot": person.is_bot,
        "is_guest": person.is_restricted or person.is_ultra_restricted,
        "deleted": person.deleted,
        "team_id": team_id,
    }


def _usergroup(group: UserGroup) -> Json:
    return {"id": group.id, "handle": group.handle, "name": group.name, "users": list(group.users)}


def _open_channel(channel: Channel) -> Json:
    return {"id": channel.id, "name": channel.name, "topic": channel.topic}


def _channel(workspace: Workspace, user_id: str, channel: Channel) -> Json:
    shown: Json = {
        "id": channel.id,
        "name": workspace.manifest.name if channel.kind is ChannelKind.DIRECT else channel.name,
        "kind": PAGE_KINDS[channel.kind],
        "topic": channel.topic,
        "unread": workspace.storage.unread(channel.id, user_id),
        "pings": mentions.unseen(workspace, user_id, channel),
        "members": list(channel.members),
        "shared": bool(channel.shared_with),
    }
    if channel.kind is ChannelKind.DIRECT:
        shown["with"] = workspace.directory.bot.id
    prompts = workspace.storage.record("prompts", channel.id)
    if prompts is not None:
        shown["prompts"] = prompts
    return shown


def _app(workspace: Workspace) -> Json:
    manifest = workspace.manifest
    return {
        "id": workspace.seed.app_id,
        "name": manifest.name,
        "bot_user_id": workspace.seed.bot_user_id,
        "description": manifest.description,
        "suggested_prompts": manifest.suggested_prompts,
        "commands": manifest.commands,
        "shortcuts": manifest.shortcuts,
        "home_tab": manifest.home_tab,
        "connected": workspace.courier.connected,
    }
