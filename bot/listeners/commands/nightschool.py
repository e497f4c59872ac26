"""`/nightschool`: help, and `/nightschool privacy`: what is stored about the person who asks, and their choices."""

from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck

from bot import privacy
from bot.blocks.privacy import HELP
from bot.services import Services


async def nightschool(ack: AsyncAck, body: dict[str, Any], services: Services) -> None:
    """Answer at once, to this person alone."""
    if str(body.get("text") or "").strip().lower() != "privacy":
        await ack(text=HELP, response_type="ephemeral")
        return
    content = await privacy.of(services, str(body.get("team_id") or ""), str(body["user_id"]))
    await ack(text=content.text, blocks=content.blocks, response_type="ephemeral")
