"""`chat.*`: posting, updating and deleting messages. Source: https://docs.slack.dev/reference/methods/chat.postMessage."""

from .. import messages
from ..errors import SlackError
from ..messages import Draft
from ..wire import Json
from .call import Call

UPDATE_TEXT_LIMIT = 4_000


async def post_message(call: Call) -> Json:
    """Post a message of the app."""
    channel = call.writable_channel()
    content = call.content()
    if not any(content.get(name) for name in ("text", "blocks", "attachments")):
        raise SlackError("no_text")
    content.setdefault("text", "")
    thread_ts = messages.thread_of(call.workspace, channel, call.arguments.text("thread_ts"))
    draft = Draft(channel, content, thread_ts, call.arguments.flag("reply_broadcast"))
    message = messages.post(call.workspace, messages.by_app(call.workspace), draft)
    return {"channel": channel.id, "ts": message["ts"], "message": messages.public(message, with_metadata=True)}


async def post_ephemeral(call: Call) -> Json:
    """Show a message of the app to one member of a channel."""
    channel = call.writable_channel()
    viewer = call.workspace.directory.person(call.arguments.need("user"))
    if viewer.id not in channel.members:
        raise SlackError("user_not_in_channel")
    content = call.content()
    if not content:
        raise SlackError("no_text")
    content.setdefault("text", "")
    draft = Draft(channel, content, call.arguments.text("thread_ts"))
    return {"message_ts": messages.post_ephemeral(call.workspace, viewer.id, draft)["ts"]}


async def update(call: Call) -> Json:
    """Change a message that the app posted; fields that are not given stay, but new text drops old blocks."""
    channel = call.writable_channel()
    message = _own_message(call)
    content = call.content()
    if not content:
        raise SlackError("no_text")
    if len(content.get("text", "")) > UPDATE_TEXT_LIMIT:
        raise SlackError("msg_too_long")
    if "text" in content and "blocks" not in content:
        content["blocks"] = []
    changed = messages.replace(call.workspace, message, content, call.workspace.seed.bot_user_id)
    shown = messages.public(changed, with_metadata=True)
    return {"channel": channel.id, "ts": changed["ts"], "text": changed.get("text", ""), "message": shown}


async def delete(call: Call) -> Json:
    """Delete a message that the app posted."""
    channel = call.writable_channel()
    message = _own_message(call, "cant_delete_message")
    messages.delete(call.workspace, message)
    return {"channel": channel.id, "ts": message["ts"]}


async def get_permalink(call: Call) -> Json:
    """The address of a message; here it opens the page at that message."""
    channel = call.seen_channel()
    message = messages.find(call.workspace, channel, call.arguments.need("message_ts"))
    link = f"{call.workspace.url}/archives/{channel.id}/p{message['ts'].replace('.', '')}"
    if "thread_ts" in message and message["thread_ts"] != message["ts"]:
        link += f"?thread_ts={message['thread_ts']}&cid={channel.id}"
    return {"channel": channel.id, "permalink": link}


def _own_message(call: Call, refusal: str = "cant_update_message") -> Json:
    message = messages.find(call.workspace, call.seen_channel(), call.arguments.need("ts"))
    if message.get("bot_id") != call.workspace.seed.bot_id:
        raise SlackError(refusal)
    return message
