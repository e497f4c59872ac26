"""`reactions.*`. Source: https://docs.slack.dev/reference/methods/reactions.add."""

from .. import messages
from ..errors import SlackError
from ..wire import Json
from .call import Call


async def add(call: Call) -> Json:
    """React as the bot."""
    messages.react(call.workspace, call.workspace.seed.bot_user_id, _message(call), _name(call))
    return {}


async def remove(call: Call) -> Json:
    """Take the bot's reaction back."""
    messages.unreact(call.workspace, call.workspace.seed.bot_user_id, _message(call), _name(call))
    return {}


async def get(call: Call) -> Json:
    """A message with its reactions."""
    message = _message(call)
    return {"type": "message", "channel": message["channel"], "message": messages.public(message)}


def _message(call: Call) -> Json:
    channel = call.writable_channel()
    return messages.find(call.workspace, channel, call.arguments.need("timestamp"))


def _name(call: Call) -> str:
    name = call.arguments.need("name").strip(":")
    if not name.replace("_", "").replace("-", "").replace("+", "").replace(":", "").isalnum():
        raise SlackError("invalid_name")
    return name
