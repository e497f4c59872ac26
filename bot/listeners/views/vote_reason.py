"""Why an answer was voted down, as submitted in the modal."""

from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck

from bot import telling
from bot.blocks.feedback import REASON_FIELD, SUGGESTION_FIELD, THANKS_WHY, WORDS_FIELD
from bot.listeners.views.values import chosen, typed
from bot.metadata import FeedbackPlace
from bot.posting import Place
from bot.services import Services
from store import votes
from store.votes import Complaint
from store.words import VoteReason


async def vote_reason(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], services: Services) -> None:
    """Add the reason to the person's vote, and say thank you where only they see it."""
    place = FeedbackPlace.load(str(view.get("private_metadata") or ""))
    person_id = str(body["user"]["id"])
    reason = chosen(view, REASON_FIELD)
    if reason not in list(VoteReason):
        await ack(response_action="errors", errors={REASON_FIELD: "Choose what was wrong with it."})
        return
    complaint = Complaint(VoteReason(reason), typed(view, WORDS_FIELD), typed(view, SUGGESTION_FIELD))
    counted = await services.store.write(votes.explain, place.answer_id, person_id, complaint)
    await ack()
    if counted.changed:
        where = Place(place.channel_id, place.thread_ts)
        services.spawn(telling.whisper(services, where, person_id, THANKS_WHY))
