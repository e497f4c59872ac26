"""“Try again” under a failed answer."""

from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck

from bot.inbox import RETRY
from bot.listeners.numbers import number_in
from bot.services import Services
from store import answers
from store.errors import BadInput, NotAllowed
from store.inbox import Arrival
from store.words import DeliveryState, Surface


async def retry_answer(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], services: Services) -> None:
    """Store the wish; the worker generates the answer anew."""
    answer_id = number_in(action)
    container = body.get("container") or {}
    await services.running.settled(str(container.get("channel_id")), str(container.get("thread_ts")))
    answer, ticket = await services.store.read(answers.with_ticket, answer_id)
    private = ticket.surface == Surface.COMMAND and ticket.asker_id == body["user"]["id"]
    if not private and (answer.channel_id, answer.message_ts) != (
        container.get("channel_id"),
        container.get("message_ts"),
    ):
        raise NotAllowed("That button belongs to another answer. Nothing was changed.")
    if answer.state != DeliveryState.FAILED:
        raise BadInput("This answer is there already, or is being written just now.")
    wish = {"answer_id": answer_id, "response_url": str(body.get("response_url") or "")}
    await services.inbox.keep(Arrival(f"retry/{answer_id}/{action.get('action_ts')}", RETRY, wish))
    await ack()
