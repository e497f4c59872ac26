"""`conversations.*`: channels, their members and what was said in them.

Source: https://docs.slack.dev/reference/methods/conversations.history
"""

import base64
import binascii

from .. import membership, messages, scopes
from ..errors import SlackError
from ..seed import Channel, ChannelKind
from ..storage import Span
from ..wire import Json
from .call import Call

DEFAULT_LIMIT = 100
TYPES = {
    "public_channel": ChannelKind.PUBLIC,
    "private_channel": ChannelKind.PRIVATE,
    "im": ChannelKind.DIRECT,
}


async def history(call: Call) -> Json:
    """A channel's messages, newest first, in pages."""
    channel = _readable(call, "history")
    limit = call.arguments.integer("limit", DEFAULT_LIMIT)
    latest = _cursor(call)
    span = _span(call) if latest is None else Span(_span(call).oldest, latest)
    found = call.workspace.storage.history(channel.id, span, limit + 1)
    return _page(call, found[:limit], more=len(found) > limit)


async def replies(call: Call) -> Json:
    """A thread, oldest first, in pages; the first message comes with the first page."""
    channel = _readable(call, "history")
    root = call.arguments.need("ts")
    messages.thread_of(call.workspace, channel, root)
    limit = call.arguments.integer("limit", DEFAULT_LIMIT)
    after = _cursor(call)
    span = _span(call) if after is None else Span(after, _span(call).latest)
    found = call.workspace.storage.thread(channel.id, root, span)
    return _page(call, found[:limit], more=len(found) > limit)


async def info(call: Call) -> Json:
    """One channel."""
    channel = _readable(call, "read")
    return {"channel": call.workspace.directory.channel_object(channel)}


async def members(call: Call) -> Json:
    """The members of a channel."""
    channel = _readable(call, "read")
    return {"members": list(channel.members), "response_metadata": {"next_cursor": ""}}


async def join(call: Call) -> Json:
    """Let the bot come into a public channel; a warning when it is there already."""
    channel = call.seen_channel()
    if channel.kind is not ChannelKind.PUBLIC:
        raise SlackError("method_not_supported_for_channel_type")
    bot = call.workspace.directory.bot.id
    shown = {"channel": call.workspace.directory.channel_object(channel)}
    if bot in channel.members:
        return {**shown, "warning": "already_in_channel", "response_metadata": {"warnings": ["already_in_channel"]}}
    joined = membership.join(call.workspace, channel, bot)
    return {"channel": call.workspace.directory.channel_object(joined)}


async def open_direct(call: Call) -> Json:
    """The direct message with a person."""
    if call.arguments.text("channel"):
        channel = call.seen_channel()
    else:
        users = [each for each in call.arguments.need("users").split(",") if each]
        if len(users) != 1:
            raise SlackError("not_enough_users" if not users else "too_many_users")
        channel = call.workspace.directory.direct_message(call.workspace.directory.person(users[0]).id)
    return {"channel": call.workspace.directory.channel_object(channel)}


async def list_all(call: Call) -> Json:
    """The channels that the app can see."""
    return _listed(call, list(call.workspace.directory.channels.values()))


async def of_user(call: Call) -> Json:
    """`users.conversations`: the channels that a person, or the bot, is in."""
    user_id = call.arguments.text("user") or call.workspace.seed.bot_user_id
    call.workspace.directory.person(user_id)
    return _listed(call, call.workspace.directory.of_member(user_id))


def _listed(call: Call, channels: list[Channel]) -> Json:
    names = (call.arguments.text("types") or "public_channel").split(",")
    kinds = {TYPES[name] for name in names if name in TYPES}
    for kind in kinds:
        scopes.require(call.scopes, f"{scopes.PREFIXES[kind]}:read")
    bot = call.workspace.directory.bot.id
    seen = [each for each in channels if each.kind is ChannelKind.PUBLIC or bot in each.members]
    found = [call.workspace.directory.channel_object(each) for each in seen if each.kind in kinds]
    return {"channels": found, "response_metadata": {"next_cursor": ""}}


def _readable(call: Call, verb: str) -> Channel:
    channel = call.seen_channel()
    scopes.require_for_channel(call.scopes, channel, verb)
    if verb == "history" and call.workspace.directory.bot.id not in channel.members:
        raise SlackError("not_in_channel")
    return channel


def _span(call: Call) -> Span:
    return Span(
        call.arguments.text("oldest") or "0",
        call.arguments.text("latest") or Span.latest,
        call.arguments.flag("inclusive"),
    )


def _cursor(call: Call) -> str | None:
    cursor = call.arguments.text("cursor")
    if cursor is None:
        return None
    try:
        name, _, ts = base64.b64decode(cursor, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise SlackError("invalid_cursor") from None
    if name != "next_ts":
        raise SlackError("invalid_cursor")
    return ts


def _page(call: Call, found: list[Json], more: bool) -> Json:
    with_metadata = call.arguments.flag("include_all_metadata")
    cursor = base64.b64encode(f"next_ts:{found[-1]['ts']}".encode()).decode() if more else ""
    return {
        "messages": [messages.public(message, with_metadata) for message in found],
        "has_more": more,
        "response_metadata": {"next_cursor": cursor},
    }
