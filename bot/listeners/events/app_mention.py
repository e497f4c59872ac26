"""`app_mention`: somebody asks the bot in a channel."""

from typing import Any

from bot import conversation
from bot.services import Services


async def app_mention(body: dict[str, Any], services: Services, attempt: int) -> None:
    """Answer in the thread."""
    await conversation.take_post(services, body, attempt)
