"""A reviewer's verdict, as submitted in the modal."""

from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.models.views import View
from sqlmodel import Session

from bot import home, permissions, reviewing
from bot.blocks.review.inputs import (
    ALIKE_FIELD,
    CAUSE_FIELD,
    CORRECTION_FIELD,
    NOTE_FIELD,
    TAGS_FIELD,
    VALID_FIELD,
    VERDICT_FIELD,
)
from bot.listeners.views.values import block_of, chosen, end_of_day, ticked, typed
from bot.metadata import ReviewFlow
from bot.services import Services
from store import answers, reviews
from store.errors import NightschoolError
from store.reviews import Decision
from store.words import Cause, Verdict

Errors = dict[str, str]


async def review(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], services: Services) -> None:
    """Store the verdict and show the next answer in the same modal, or show what is wrong with the verdict."""
    person_id = str(body["user"]["id"])
    await permissions.require_reviewer(services, person_id)
    flow = ReviewFlow.load(str(view.get("private_metadata") or ""))
    if chosen(view, VERDICT_FIELD) not in list(Verdict):
        await ack(response_action="errors", errors={block_of(view, VERDICT_FIELD): "Choose a verdict."})
        return
    desk = reviewing.Desk(services.settings, person_id)
    try:
        outcome = await services.store.write(_decide, desk, flow, view)
    except NightschoolError as error:
        # In the modal, not in a second one above it: the reviewer's text must not be lost.
        outcome = {VERDICT_FIELD: str(error)}
    if isinstance(outcome, View):
        await ack(response_action="update", view=outcome)
        services.outbox_wake.set()
        services.spawn(home.publish(services, person_id))
    else:
        errors = {block_of(view, field): said for field, said in outcome.items()}
        await ack(response_action="errors", errors=errors)


def _decide(session: Session, desk: reviewing.Desk, flow: ReviewFlow, view: dict[str, Any]) -> View | Errors:
    decision = _decision(session, desk, flow, view)
    if errors := reviews.field_errors(answers.get(session, flow.answer_id), decision):
        return errors
    return reviewing.decide(session, desk, flow, decision)


def _decision(session: Session, desk: reviewing.Desk, flow: ReviewFlow, view: dict[str, Any]) -> Decision:
    verdict, cause = Verdict(chosen(view, VERDICT_FIELD)), chosen(view, CAUSE_FIELD)
    begun, proposal_id = reviewing.as_begun(session, flow)
    correction = typed(view, CORRECTION_FIELD)
    if verdict != Verdict.CORRECTED and correction.split() == begun.split():
        # The text stands there because we put it there.
        correction = ""
    return Decision(
        answer_id=flow.answer_id,
        reviewer_id=desk.reviewer_id,
        verdict=verdict,
        correction=correction,
        cause=Cause(cause) if cause in list(Cause) else None,
        note=typed(view, NOTE_FIELD),
        tags=tuple(tag for tag in ticked(view, TAGS_FIELD) if tag in desk.settings.offered_tags),
        valid_until=end_of_day(view, VALID_FIELD),
        alike=tuple(near for near in flow.alike if str(near) in ticked(view, ALIKE_FIELD)),
        proposal_id=proposal_id if verdict == Verdict.CORRECTED else None,
    )
