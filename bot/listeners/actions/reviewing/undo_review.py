"""“Undo” of a decision, in the modal after it or in the Home tab."""

from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck

from bot import home, permissions, review_views, reviewing
from bot.metadata import ReviewFlow
from bot.services import Services
from store import review_undo
from store.errors import NightschoolError


async def undo_review(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], services: Services) -> None:
    """Take the whole batch back; in the modal its first answer is shown again."""
    person_id, batch = str(body["user"]["id"]), str(action.get("value") or "")
    await permissions.require_reviewer(services, person_id)
    desk, share = reviewing.Desk(services.settings, person_id), services.settings.second_opinion_share
    if review_views.in_modal(body):
        flow = ReviewFlow.load(str(body["view"].get("private_metadata") or ""))
        try:
            view = await services.store.write(reviewing.undo, desk, flow, batch)
        except NightschoolError as error:
            # In this modal: one above it would have to be closed first.
            view = await services.store.write(reviewing.stay, desk, flow, str(error))
        await review_views.repaint(services, body, view)
    else:
        await services.store.write(review_undo.undo, batch, person_id, share)
    await ack()
    services.outbox_wake.set()
    services.spawn(home.publish(services, person_id))
