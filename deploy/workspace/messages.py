"""Posting, editing, deleting and reacting: each is stored, shown in the page and told to the app."""

from collections.abc import Iterable
from dataclasses import dataclass

from . import events, mentions, present
from .errors import SlackError
from .seed import Channel, ChannelKind
from .wire import Json
from .workspace import Workspace


@dataclass(frozen=True)
class Draft:
    """A message that is about to be posted."""

    channel: Channel
    content: Json
    thread_ts: str | None = None
    broadcast: bool = False


def by_person(workspace: Workspace, user_id: str) -> Json:
    """The fields that a person's message has beside its content."""
    team = workspace.directory.team_of(user_id)
    message = {"type": "message", "user": user_id, "team": team}
    # Slack names the team a second and third time where people of several teams talk.
    return message if team == workspace.seed.team_id else {**message, "user_team": team, "source_team": team}


def by_app(workspace: Workspace) -> Json:
    """The fields that the app's message has beside its content."""
    seed = workspace.seed
    return {
        "type": "message",
        "user": seed.bot_user_id,
        "bot_id": seed.bot_id,
        "app_id": seed.app_id,
        "team": seed.team_id,
        "bot_profile": bot_profile(workspace),
    }


def bot_profile(workspace: Workspace) -> Json:
    """The app's bot as messages and `bots.info` describe it."""
    seed = workspace.seed
    return {
        "id": seed.bot_id,
        "app_id": seed.app_id,
        "user_id": seed.bot_user_id,
        "name": workspace.manifest.name,
        "icons": {},
        "deleted": False,
        "updated": 0,
        "team_id": seed.team_id,
    }


def post(workspace: Workspace, author: Json, draft: Draft) -> Json:
    """Post a message and give it as stored."""
    message = {**author, **draft.content, "channel": draft.channel.id, "ts": workspace.clock.next()}
    if draft.thread_ts is not None:
        message["thread_ts"] = draft.thread_ts
        if draft.broadcast:
            message["subtype"] = "thread_broadcast"
        _count_reply(workspace, draft.channel, message)
    workspace.storage.put_message(message)
    mentions.note(workspace, draft.channel, message)
    show(workspace, "message", message)
    events.posted(workspace, draft.channel, message)
    if "bot_id" in message:
        clear_status(workspace, message)
    return message


def post_ephemeral(workspace: Workspace, viewer: str, draft: Draft) -> Json:
    """Show a message of the app to one person only."""
    message = {
        **by_app(workspace),
        **draft.content,
        "channel": draft.channel.id,
        "ts": workspace.clock.next(),
        "is_ephemeral": True,
    }
    if draft.thread_ts is not None:
        message["thread_ts"] = draft.thread_ts
    workspace.storage.put_message(message, viewer)
    shown = {"type": "ephemeral", "channel": draft.channel.id, "message": present.message(message)}
    workspace.feed.publish(shown, {viewer})
    return message


def find(workspace: Workspace, channel: Channel, ts: str, viewer: str = "") -> Json:
    """A message, or the error `message_not_found`."""
    message = workspace.storage.message(channel.id, ts, viewer)
    if message is None:
        raise SlackError("message_not_found")
    return message


def replace(workspace: Workspace, previous: Json, content: Json, editor: str | None = None) -> Json:
    """Give a message new content; with an editor it is marked as edited."""
    message = {**previous, **content}
    if editor is not None:
        message["edited"] = {"user": editor, "ts": workspace.clock.next()}
    workspace.storage.put_message(message)
    show(workspace, "message_changed", message)
    events.changed(workspace, workspace.directory.channel(message["channel"]), message, previous)
    return message


def replace_ephemeral(workspace: Workspace, viewer: str, previous: Json, content: Json) -> None:
    """Give a message that one person sees new content."""
    message = {**previous, **content}
    workspace.storage.put_message(message, viewer)
    shown = {"type": "message_changed", "channel": message["channel"], "message": present.message(message)}
    workspace.feed.publish(shown, {viewer})


def delete(workspace: Workspace, message: Json, viewer: str = "") -> None:
    """Delete a message; the first of a thread that has replies leaves a tombstone."""
    channel = workspace.directory.channel(message["channel"])
    if message.get("reply_count"):
        kept = {key: value for key, value in message.items() if key.startswith(("reply", "latest_reply", "thread_ts"))}
        grave = {"type": "message", "subtype": "tombstone", "user": "USLACKBOT", "text": "This message was deleted."}
        tombstone = {**grave, **kept, "channel": channel.id, "ts": message["ts"], "hidden": True}
        workspace.storage.put_message(tombstone)
        show(workspace, "message_changed", tombstone)
        # Slack tells of this as a change to a tombstone, not as a deletion (matterbridge#600).
        events.changed(workspace, channel, tombstone, message)
        return
    workspace.storage.delete_message(channel.id, message["ts"])
    gone = {"type": "message_deleted", "channel": channel.id, "ts": message["ts"]}
    workspace.feed.publish(gone, {viewer} if viewer else channel.members)
    _uncount_reply(workspace, channel, message)
    if not viewer:
        events.deleted(workspace, channel, message)


def react(workspace: Workspace, user_id: str, message: Json, name: str) -> None:
    """Add a reaction; raises `already_reacted`."""
    reactions: list[Json] = message.setdefault("reactions", [])
    entry = next((each for each in reactions if each["name"] == name), None)
    if entry is None:
        entry = {"name": name, "users": [], "count": 0}
        reactions.append(entry)
    if user_id in entry["users"]:
        raise SlackError("already_reacted")
    entry["users"].append(user_id)
    _store_reactions(workspace, message, reactions)
    events.reaction(workspace, user_id, message, name, added=True)


def unreact(workspace: Workspace, user_id: str, message: Json, name: str) -> None:
    """Take a reaction back; raises `no_reaction`."""
    reactions: list[Json] = message.get("reactions", [])
    entry = next((each for each in reactions if each["name"] == name), None)
    if entry is None or user_id not in entry["users"]:
        raise SlackError("no_reaction")
    entry["users"].remove(user_id)
    _store_reactions(workspace, message, reactions)
    events.reaction(workspace, user_id, message, name, added=False)


def show(workspace: Workspace, kind: str, message: Json) -> None:
    """Show a message in the pages of the channel's members."""
    if workspace.feed.watched():
        members: Iterable[str] = workspace.directory.channel(message["channel"]).members
        event = {"type": kind, "channel": message["channel"], "ts": message["ts"], "message": present.message(message)}
        workspace.feed.publish(event, frozenset(members))


def clear_status(workspace: Workspace, message: Json) -> None:
    """The app answered in a thread: its status line goes."""
    root = root_of(message)
    if workspace.sessions.thread(message["channel"], root).has_line():
        set_status(workspace, message["channel"], root, "", [])


def set_status(workspace: Workspace, channel: str, thread_ts: str, text: str, loading_messages: list[str]) -> None:
    """Show a status line in a thread."""
    workspace.sessions.set_line(channel, thread_ts, text, loading_messages)
    members = workspace.directory.channel(channel).members
    line = {"channel": channel, "thread_ts": thread_ts, "text": text, "loading_messages": loading_messages}
    workspace.feed.publish({"type": "status", **line}, members)


def public(message: Json, with_metadata: bool = False) -> Json:
    """A message as history calls give it: without its channel, and with metadata only on request."""
    hidden = ("channel",) if with_metadata else ("channel", "metadata")
    return {key: value for key, value in message.items() if key not in hidden}


def thread_of(workspace: Workspace, channel: Channel, thread_ts: str | None) -> str | None:
    """The root that a reply to `thread_ts` belongs to; raises `thread_not_found`."""
    if thread_ts is None:
        return None
    message = workspace.storage.message(channel.id, thread_ts)
    if message is None:
        raise SlackError("thread_not_found")
    return root_of(message)


def root_of(message: Json) -> str:
    """The `ts` of the thread that a message is in, or could begin."""
    return str(message.get("thread_ts") or message["ts"])


def is_direct(channel: Channel) -> bool:
    """Whether the channel is a direct message with the bot."""
    return channel.kind is ChannelKind.DIRECT


def _store_reactions(workspace: Workspace, message: Json, reactions: list[Json]) -> None:
    kept = [{**each, "count": len(each["users"])} for each in reactions if each["users"]]
    message["reactions"] = kept
    if not kept:
        del message["reactions"]
    workspace.storage.put_message(message)
    channel = workspace.directory.channel(message["channel"])
    event = {"type": "reaction", "channel": channel.id, "ts": message["ts"], "reactions": kept}
    workspace.feed.publish(event, channel.members)


def _count_reply(workspace: Workspace, channel: Channel, reply: Json) -> None:
    root = find(workspace, channel, reply["thread_ts"])
    users = [*root.get("reply_users", [])]
    if reply["user"] not in users:
        users.append(reply["user"])
    counted = {
        **root,
        "thread_ts": root["ts"],
        "reply_count": root.get("reply_count", 0) + 1,
        "reply_users": users,
        "reply_users_count": len(users),
        "latest_reply": reply["ts"],
    }
    workspace.storage.put_message(counted)
    show(workspace, "message_changed", counted)


def _uncount_reply(workspace: Workspace, channel: Channel, reply: Json) -> None:
    root_ts = root_of(reply)
    root = workspace.storage.message(channel.id, root_ts)
    if root is None or root_ts == reply["ts"]:
        return
    replies = workspace.storage.thread(channel.id, root_ts)[1:]
    users = list(dict.fromkeys(each["user"] for each in replies))
    counted = {**root, "reply_count": len(replies), "reply_users": users, "reply_users_count": len(users)}
    if replies:
        counted["latest_reply"] = replies[-1]["ts"]
    else:
        counted.pop("latest_reply", None)
    workspace.storage.put_message(counted)
    show(workspace, "message_changed", counted)
