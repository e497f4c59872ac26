"""“I need a human” under an answer."""

from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck

from bot import escalating, telling
from bot.clicks import Click, settle
from bot.listeners.numbers import number_in
from bot.repainting import repaint
from bot.services import Services


async def call_human(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], services: Services) -> None:
    """Call who is on call, and say that it was done, or that it had been done before."""
    click = Click.of(body, number_in(action))
    await settle(services, click)
    sentence = await escalating.call_human(services, click)
    await ack()
    services.spawn(telling.tell(services, body, sentence))
    services.spawn(repaint(services, click.answer_id, click.response_url))
