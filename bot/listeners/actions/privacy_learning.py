"""“Leave me out” of learning, and “Let me in again”."""

from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck

from bot import privacy
from bot.blocks.privacy import OFF
from bot.services import Services
from store import people


async def privacy_learning(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], services: Services) -> None:
    """Store the choice, and show what holds now."""
    team_id, person_id = str((body.get("team") or {}).get("id") or ""), str(body["user"]["id"])
    opted_out = action.get("value") == OFF
    await services.store.write(people.set_learning, team_id, person_id, opted_out=opted_out)
    await ack()
    services.spawn(privacy.show_again(services, body))
