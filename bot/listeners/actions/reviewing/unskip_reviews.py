"""“Look at them again”: what a reviewer left to others comes back to them."""

from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck

from bot import home, permissions, review_views, reviewing
from bot.metadata import ReviewFlow
from bot.services import Services
from store import review_claims


async def unskip_reviews(ack: AsyncAck, body: dict[str, Any], services: Services) -> None:
    """Forget the skips; the modal goes on with the first of them, the Home tab shows them again."""
    person_id = str(body["user"]["id"])
    await permissions.require_reviewer(services, person_id)
    if not review_views.in_modal(body):
        await services.store.write(review_claims.unskip, person_id)
        await ack()
        services.spawn(home.publish(services, person_id))
        return
    flow = ReviewFlow.load(str(body["view"].get("private_metadata") or ""))
    view = await services.store.write(reviewing.unskip, reviewing.Desk(services.settings, person_id), flow)
    await ack()
    await review_views.repaint(services, body, view)
