"""Who is in which channel: the seed says how it begins, people invite each other and the bot later."""

from . import events, messages
from .directory import MEMBERS
from .errors import SlackError
from .seed import Channel, ChannelKind
from .workspace import Workspace


def join(workspace: Workspace, channel: Channel, user_id: str, inviter: str = "") -> Channel:
    """Let a person or the bot come into a channel, invited or alone; the channel as it is then.

    Raises:
        SlackError: `already_in_channel`, `method_not_supported_for_channel_type` for a direct message, or
            `user_not_found` for nobody and for a deactivated account.
    """
    person = workspace.directory.person(user_id)
    if person.deleted:
        raise SlackError("user_not_found")
    if channel.kind is ChannelKind.DIRECT:
        raise SlackError("method_not_supported_for_channel_type")
    if user_id in channel.members:
        raise SlackError("already_in_channel")
    joined = _set_members(workspace, channel, (*channel.members, user_id))
    content = {"subtype": "channel_join", "text": f"<@{user_id}> has joined the channel"}
    if inviter:
        content["inviter"] = inviter
    messages.post(workspace, messages.by_person(workspace, user_id), messages.Draft(joined, content))
    events.joined(workspace, joined, user_id, inviter)
    return joined


def leave(workspace: Workspace, channel: Channel, user_id: str) -> Channel:
    """Let a person or the bot go out of a channel; raises `not_in_channel`."""
    if user_id not in channel.members:
        raise SlackError("not_in_channel")
    return _set_members(workspace, channel, tuple(member for member in channel.members if member != user_id))


def _set_members(workspace: Workspace, channel: Channel, members: tuple[str, ...]) -> Channel:
    changed = workspace.directory.set_members(channel.id, members)
    workspace.storage.put_record(MEMBERS, channel.id, {"members": list(members)})
    workspace.feed.publish({"type": "channels"}, {*channel.members, *members})
    return changed
