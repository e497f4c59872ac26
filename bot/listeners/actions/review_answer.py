"""“Review” in the queue: opens the modal in which a reviewer decides."""

from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck
from sqlmodel import Session

from bot import permissions
from bot.blocks.review import Case, review_modal
from bot.listeners.numbers import number_in
from bot.services import Services
from store import reviews, tickets, votes


async def review_answer(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], services: Services) -> None:
    """Open the modal, unless this person may not decide on this answer."""
    person_id = str(body["user"]["id"])
    await permissions.require_reviewer(services, person_id)
    case = await services.store.read(_case, number_in(action), person_id)
    await services.slack.views_open(trigger_id=body["trigger_id"], view=review_modal(case))
    await ack()


def _case(session: Session, answer_id: int, reviewer_id: str) -> Case:
    answer, ticket = reviews.check_may_review(session, answer_id, reviewer_id)
    transcript = tickets.transcript(session, answer.ticket_id)
    return Case(answer, ticket, transcript, votes.of_answer(session, answer_id))
