"""Telling the app what happened, in the shape of Slack's Events API, and only what its manifest asked for.

Source: https://docs.slack.dev/apis/events-api
"""

import secrets
import time

from .seed import Channel, ChannelKind
from .wire import Json
from .workspace import Workspace

SUBSCRIPTIONS = {
    ChannelKind.PUBLIC: "message.channels",
    ChannelKind.PRIVATE: "message.groups",
    ChannelKind.DIRECT: "message.im",
}


def send(workspace: Workspace, event: Json) -> None:
    """Send an event, if the app subscribed to its type."""
    if event["type"] in workspace.manifest.events:
        workspace.courier.event(envelope(workspace, event))


def send_message(workspace: Workspace, channel: Channel, event: Json) -> None:
    """Send a message event, if the app hears messages of that kind of channel and its bot is in it."""
    heard = SUBSCRIPTIONS[channel.kind] in workspace.manifest.events
    if heard and workspace.directory.bot.id in channel.members:
        placed = {**event, "channel": channel.id, "channel_type": channel.kind.value}
        workspace.courier.event(envelope(workspace, placed))


def posted(workspace: Workspace, channel: Channel, message: Json) -> None:
    """A message was posted: `message`, and beside it `app_mention` when it names the bot."""
    event = {**without_metadata(message), "event_ts": message["ts"]}
    send_message(workspace, channel, event)
    bot = workspace.directory.bot.id
    mentions = f"<@{bot}>" in message.get("text", "") and message.get("user") != bot
    if mentions and channel.kind is not ChannelKind.DIRECT and bot in channel.members:
        send(workspace, {**event, "type": "app_mention", "channel": channel.id})


def changed(workspace: Workspace, channel: Channel, message: Json, previous: Json) -> None:
    """A message was edited, by a person or by the app itself, or deleted while others had answered in its thread."""
    ts = workspace.clock.next()
    event = {
        "type": "message",
        "subtype": "message_changed",
        "hidden": True,
        "message": without_metadata(message),
        "previous_message": without_metadata(previous),
        "ts": ts,
        "event_ts": ts,
    }
    send_message(workspace, channel, event)


def deleted(workspace: Workspace, channel: Channel, previous: Json) -> None:
    """A message was deleted."""
    ts = workspace.clock.next()
    event = {
        "type": "message",
        "subtype": "message_deleted",
        "hidden": True,
        "deleted_ts": previous["ts"],
        "previous_message": without_metadata(previous),
        "ts": ts,
        "event_ts": ts,
    }
    send_message(workspace, channel, event)


def reaction(workspace: Workspace, user_id: str, message: Json, name: str, added: bool) -> None:
    """A reaction was added to a message, or removed."""
    channel = workspace.directory.channel(message["channel"])
    if workspace.directory.bot.id not in channel.members:
        return
    event = {
        "type": "reaction_added" if added else "reaction_removed",
        "user": user_id,
        "reaction": name,
        "item": {"type": "message", "channel": channel.id, "ts": message["ts"]},
        "event_ts": workspace.clock.next(),
    }
    if message.get("user"):
        event["item_user"] = message["user"]
    send(workspace, event)


def home_opened(workspace: Workspace, user_id: str, tab: str) -> None:
    """A person opened the app's Home or Messages tab."""
    event: Json = {
        "type": "app_home_opened",
        "user": user_id,
        "channel": workspace.directory.direct_message(user_id).id,
        "tab": tab,
        "event_ts": workspace.clock.next(),
    }
    view = workspace.storage.record("home", user_id)
    if tab == "home" and view is not None:
        event["view"] = view
    send(workspace, event)


def joined(workspace: Workspace, channel: Channel, user_id: str, inviter: str) -> None:
    """A person, or the bot itself, came into a channel that the bot is in; `inviter` is empty for who came alone.

    Source: https://docs.slack.dev/reference/events/member_joined_channel
    """
    if workspace.directory.bot.id not in channel.members:
        return
    event = {
        "type": "member_joined_channel",
        "user": user_id,
        "channel": channel.id,
        "channel_type": "G" if channel.kind is ChannelKind.PRIVATE else "C",
        "team": workspace.directory.team_of(user_id),
        "event_ts": workspace.clock.next(),
    }
    send(workspace, {**event, "inviter": inviter} if inviter else event)


def user_changed(workspace: Workspace, user_id: str) -> None:
    """Something about a person is different, such as that their account was deactivated."""
    user = workspace.directory.user_object(workspace.directory.person(user_id))
    ts = workspace.clock.next()
    send(workspace, {"type": "user_change", "user": user, "cache_ts": int(time.time()), "event_ts": ts})


def session_stopped(workspace: Workspace, user_id: str, thread: tuple[str, str], streams: list[str]) -> None:
    """A person pressed Stop in a thread; `streams` are the messages that stopped.

    Source: https://docs.slack.dev/reference/events/agent_session_stopped
    """
    channel, thread_ts = thread
    event = {
        "type": "agent_session_stopped",
        "user": user_id,
        "channel": channel,
        "thread_ts": thread_ts,
        "streaming_message_ts": streams,
        "event_ts": workspace.clock.next(),
    }
    send(workspace, event)


def uninstalled(workspace: Workspace) -> None:
    """The app was removed: its tokens are revoked."""
    ts = workspace.clock.next()
    tokens = {"oauth": [], "bot": [workspace.directory.bot.id]}
    send(workspace, {"type": "tokens_revoked", "tokens": tokens, "event_ts": ts})
    send(workspace, {"type": "app_uninstalled", "event_ts": ts})


def without_metadata(message: Json) -> Json:
    """A message as others see it: metadata is given only to those who ask for it."""
    return {key: value for key, value in message.items() if key != "metadata"}


def envelope(workspace: Workspace, event: Json) -> Json:
    """An event as the Events API wraps it."""
    seed = workspace.seed
    return {
        "token": "local",
        "team_id": seed.team_id,
        "context_team_id": seed.team_id,
        "api_app_id": seed.app_id,
        "event": event,
        "type": "event_callback",
        "event_id": f"Ev{secrets.token_hex(6).upper()}",
        "event_time": int(time.time()),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": seed.team_id,
                "user_id": seed.bot_user_id,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": _is_shared(workspace, event),
        "event_context": secrets.token_urlsafe(24),
    }


def _is_shared(workspace: Workspace, event: Json) -> bool:
    channel_id = event.get("channel") or event.get("item", {}).get("channel")
    channel = workspace.directory.channels.get(str(channel_id))
    return channel is not None and bool(channel.shared_with)
