"""`message`: a post in a DM, channel or thread, an edit, or a deletion."""

from typing import Any

from bot import conversation, redoing
from bot.services import Services


async def message(body: dict[str, Any], services: Services, attempt: int) -> None:
    """Answer, listen, or follow the change."""
    subtype = body["event"].get("subtype")
    if subtype == "message_changed":
        await redoing.take_edit(services, body, attempt)
    elif subtype == "message_deleted":
        await conversation.take_deletion(services, body)
    else:
        await conversation.take_post(services, body, attempt)
