"""“Share with the channel” under a private answer."""

from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck

from bot import sharing
from bot.clicks import Click, settle
from bot.listeners.numbers import number_in
from bot.services import Services


async def share_answer(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], services: Services) -> None:
    """Store the wish; the outbox posts question and answer."""
    click = Click.of(body, number_in(action))
    await settle(services, click)
    await sharing.share(services, click)
    await ack()
