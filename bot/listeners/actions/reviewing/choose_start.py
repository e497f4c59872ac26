"""What the right answer begins with: the bot's answer, a colleague's reply, or the words of a complaint."""

from dataclasses import replace
from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.models.views import View
from sqlmodel import Session

from bot import permissions, review_views, reviewing
from bot.metadata import ReviewFlow, Start
from bot.services import Services
from store import review_claims, reviews


async def choose_start(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], services: Services) -> None:
    """Fill the field with what was chosen; everything else in the modal stays as it was typed."""
    person_id = str(body["user"]["id"])
    await permissions.require_reviewer(services, person_id)
    flow = ReviewFlow.load(str((body.get("view") or {}).get("private_metadata") or ""))
    start = Start.load(str((action.get("selected_option") or {}).get("value") or ""))
    desk = reviewing.Desk(services.settings, person_id)
    view = await services.store.write(_refill, desk, replace(flow, start=start))
    await ack()
    await review_views.repaint(services, body, view)


def _refill(session: Session, desk: reviewing.Desk, flow: ReviewFlow) -> View:
    reviews.check_may_review(session, flow.answer_id, desk.reviewer_id)
    # Who works on it keeps it, unless the claim ran out and another took it.
    review_claims.claim(session, flow.answer_id, desk.reviewer_id)
    return reviewing.show(session, desk, flow)
