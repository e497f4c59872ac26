"""A reviewer's verdict, as submitted in the modal."""

from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck

from bot import home, permissions
from bot.blocks.review import CAUSE_FIELD, CORRECTION_FIELD, NOTE_FIELD, VERDICT_FIELD
from bot.listeners.numbers import parse_number
from bot.listeners.views.values import chosen, typed
from bot.services import Services
from store import answers, reviews
from store.errors import NightschoolError
from store.reviews import Decision
from store.words import Cause, Verdict


async def review(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], services: Services) -> None:
    """Store the verdict, or show in the modal what is wrong with it."""
    person_id = str(body["user"]["id"])
    await permissions.require_reviewer(services, person_id)
    answer_id = parse_number(str(view.get("private_metadata") or ""))
    verdict, cause = chosen(view, VERDICT_FIELD), chosen(view, CAUSE_FIELD)
    if verdict not in list(Verdict):
        await ack(response_action="errors", errors={VERDICT_FIELD: "Choose a verdict."})
        return
    decision = Decision(
        answer_id=answer_id,
        reviewer_id=person_id,
        verdict=Verdict(verdict),
        correction=typed(view, CORRECTION_FIELD),
        cause=Cause(cause) if cause in list(Cause) else None,
        note=typed(view, NOTE_FIELD),
    )
    if errors := await _decide(services, decision):
        await ack(response_action="errors", errors=errors)
        return
    await ack()
    services.outbox_wake.set()
    services.spawn(home.publish(services, person_id))


async def _decide(services: Services, decision: Decision) -> dict[str, str]:
    """Store a decision; what is wrong with it otherwise, by field."""
    try:
        answer = await services.store.read(answers.get, decision.answer_id)
        if errors := reviews.field_errors(answer, decision):
            return errors
        await services.store.write(reviews.decide, decision)
    except NightschoolError as error:
        # In the modal, not in a second one above it: the reviewer's text must not be lost.
        return {VERDICT_FIELD: str(error)}
    return {}
