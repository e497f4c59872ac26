"""“Why this answer?” under an answer."""

from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck

from bot.blocks.why import why_modal
from bot.clicks import Click, settle
from bot.explaining import explain
from bot.listeners.numbers import number_in
from bot.services import Services


async def explain_answer(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], services: Services) -> None:
    """Open the modal that says why."""
    click = Click.of(body, number_in(action))
    await settle(services, click)
    why = await services.store.read(explain, click)
    await services.slack.views_open(trigger_id=body["trigger_id"], view=why_modal(why))
    await ack()
