"""`message`: a post in a DM, channel or thread, an edit, or a deletion."""

from typing import Any

from bot import conversation, redoing
from bot.services import Services


async def message(body: dict[str, Any], services: Services, attempt: int) -> None:
    """Answer, listen, or follow the change."""
    event = body["event"]
    subtype = event.get("subtype")
    # A message that others have answered leaves a tombstone, and Slack tells of that as a change.
    buried = (event.get("message") or {}).get("subtype") == "tombstone"
    if subtype == "message_changed" and not buried:
        await redoing.take_edit(services, body, attempt)
    elif subtype in ("message_changed", "message_deleted"):
        await conversation.take_deletion(services, body)
    else:
        await conversation.take_post(services, body, attempt)
