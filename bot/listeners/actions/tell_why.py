"""“Tell why”, which follows a 👎 that was given as a reaction: only a click can open a modal."""

from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck

from bot.blocks.feedback import reason_modal
from bot.listeners.numbers import number_in
from bot.metadata import FeedbackPlace
from bot.services import Services
from store import answers, votes
from store.errors import BadInput
from store.words import VoteValue


async def tell_why(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], services: Services) -> None:
    """Ask the person why they voted the answer down, as long as they think so."""
    answer_id = number_in(action)
    _, ticket = await services.store.read(answers.with_ticket, answer_id)
    given = await services.store.read(votes.of_person, answer_id, str(body["user"]["id"]))
    if given is None or given.value != VoteValue.DOWN:
        raise BadInput("You have taken your 👎 back, so there is nothing to explain.")
    metadata = FeedbackPlace(answer_id, ticket.channel_id, ticket.thread_ts).dump()
    await services.slack.views_open(trigger_id=body["trigger_id"], view=reason_modal(metadata, given))
    await ack()
