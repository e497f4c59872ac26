"""“Try again” under a failed answer."""

from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck

from bot.clicks import Click, clicked_answer, settle
from bot.inbox import RETRY
from bot.listeners.numbers import number_in
from bot.services import Services
from store.errors import BadInput
from store.inbox import Arrival
from store.words import DeliveryState


async def retry_answer(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], services: Services) -> None:
    """Store the wish; the worker generates the answer anew."""
    click = Click.of(body, number_in(action))
    await settle(services, click)
    answer, _ = await services.store.read(clicked_answer, click)
    if answer.state != DeliveryState.FAILED:
        raise BadInput("This answer is there already, or is being written just now.")
    wish = {"answer_id": click.answer_id, "response_url": click.response_url}
    await services.inbox.keep(Arrival(f"retry/{click.answer_id}/{action.get('action_ts')}", RETRY, wish))
    await ack()
