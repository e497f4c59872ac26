"""Whom a message calls: people by name, user groups, and whole channels; each of them is pinged once.

Source: https://docs.slack.dev/messaging/formatting-message-text
"""

import re
from collections.abc import Iterator
from typing import Any

from .seed import Channel
from .wire import Json
from .workspace import Workspace

CALL = re.compile(r"<(?:@(?P<user>[UW][A-Z0-9]+)|!subteam\^(?P<group>S[A-Z0-9]+)|!(?P<all>here|channel|everyone))[|>]")
KIND = "pings"


def pinged(workspace: Workspace, channel: Channel, message: Json) -> frozenset[str]:
    """The people that Slack would notify of a message; its author is none of them.

    Where a message has blocks they are what is read; its text is then only for notifications.
    """
    called: set[str] = set()
    for text in _texts(message.get("blocks") or message.get("text", "")):
        for found in CALL.finditer(text):
            if found["user"]:
                called.add(found["user"])
            elif found["group"]:
                group = workspace.directory.usergroups.get(found["group"])
                called.update(group.users if group else ())
            else:
                called.update(channel.members)
    return frozenset(called & set(channel.members)) - {str(message.get("user"))}


def note(workspace: Workspace, channel: Channel, message: Json) -> None:
    """Count a message that was just posted for everyone whom it calls, and tell their pages."""
    if message.get("subtype") == "channel_join":
        return
    for user_id in pinged(workspace, channel, message):
        workspace.storage.put_record(
            KIND, _key(user_id, channel.id), {"count": unseen(workspace, user_id, channel) + 1}
        )
        ping = {"type": "ping", "channel": channel.id, "ts": message["ts"], "user": message.get("user")}
        if "thread_ts" in message:
            ping["thread_ts"] = message["thread_ts"]
        workspace.feed.publish(ping, {user_id})


def unseen(workspace: Workspace, user_id: str, channel: Channel) -> int:
    """How often a person was called in a channel since they last looked at it."""
    kept = workspace.storage.record(KIND, _key(user_id, channel.id))
    return 0 if kept is None else int(kept["count"])


def seen(workspace: Workspace, user_id: str, channel: Channel) -> None:
    """The person has looked at the channel."""
    if unseen(workspace, user_id, channel):
        workspace.storage.put_record(KIND, _key(user_id, channel.id), {"count": 0})


def _texts(node: Any) -> Iterator[str]:
    """Every text that may call someone: mrkdwn and Markdown, and the elements of rich text that are calls."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, list):
        for item in node:
            yield from _texts(item)
    elif isinstance(node, dict):
        yield from _texts_of(node)


def _texts_of(node: Json) -> Iterator[str]:
    match node.get("type"):
        case "mrkdwn" | "markdown":
            yield str(node.get("text", ""))
        case "user":
            yield f"<@{node.get('user_id')}>"
        case "usergroup":
            yield f"<!subteam^{node.get('usergroup_id')}>"
        case "broadcast":
            yield f"<!{node.get('range')}>"
        case _:
            yield from _texts([value for value in node.values() if isinstance(value, dict | list)])


def _key(user_id: str, channel_id: str) -> str:
    return f"{user_id}:{channel_id}"
