"""Which scope each Web API method needs, as Slack documents it at https://docs.slack.dev/reference/scopes."""

from .errors import SlackError
from .seed import Channel, ChannelKind

SCOPES: dict[str, str] = {
    "agents.sessions.rename": "chat:write",
    "agents.sessions.setStatus": "chat:write",
    "assistant.threads.setStatus": "chat:write",
    "assistant.threads.setSuggestedPrompts": "assistant:write",
    "assistant.threads.setTitle": "assistant:write",
    "bots.info": "users:read",
    "chat.appendStream": "chat:write",
    "chat.delete": "chat:write",
    "chat.postEphemeral": "chat:write",
    "chat.postMessage": "chat:write",
    "chat.startStream": "chat:write",
    "chat.stopStream": "chat:write",
    "chat.update": "chat:write",
    "conversations.join": "channels:join",
    "conversations.open": "im:write",
    "files.completeUploadExternal": "files:write",
    "files.getUploadURLExternal": "files:write",
    "files.info": "files:read",
    "reactions.add": "reactions:write",
    "reactions.get": "reactions:read",
    "reactions.remove": "reactions:write",
    "team.info": "team:read",
    "usergroups.list": "usergroups:read",
    "usergroups.users.list": "usergroups:read",
    "users.info": "users:read",
    "users.list": "users:read",
}
"""The scope of every method that needs one whatever its arguments; the rest asks by kind of channel, or needs none."""

PREFIXES = {ChannelKind.PUBLIC: "channels", ChannelKind.PRIVATE: "groups", ChannelKind.DIRECT: "im"}


def require(granted: frozenset[str], needed: str | None) -> None:
    """Raises `missing_scope`, with what is needed and what the app has, unless the scope was granted."""
    if needed is not None and needed not in granted:
        raise SlackError("missing_scope", needed=needed, provided=",".join(sorted(granted)))


def require_for_channel(granted: frozenset[str], channel: Channel, verb: str) -> None:
    """The scope to `read` or see the `history` of one kind of channel, such as `groups:history`."""
    require(granted, f"{PREFIXES[channel.kind]}:{verb}")
