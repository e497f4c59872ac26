"""“Skip” in the modal: another reviewer shall decide on this answer."""

from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck

from bot import permissions, review_views, reviewing
from bot.listeners.numbers import number_in
from bot.metadata import ReviewFlow
from bot.services import Services


async def skip_review(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], services: Services) -> None:
    """Leave the answer to others and show the next one in the same modal."""
    person_id = str(body["user"]["id"])
    await permissions.require_reviewer(services, person_id)
    flow = ReviewFlow.load(str((body.get("view") or {}).get("private_metadata") or ""))
    desk = reviewing.Desk(services.settings, person_id)
    view = await services.store.write(reviewing.skip, desk, flow, number_in(action))
    await ack()
    await review_views.repaint(services, body, view)
