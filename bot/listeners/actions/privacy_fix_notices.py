"""“Don't tell me” of fixes, and “Tell me”."""

from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck

from bot import privacy
from bot.blocks.privacy import ON
from bot.services import Services
from store import people


async def privacy_fix_notices(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], services: Services) -> None:
    """Store the choice, and show what holds now."""
    team_id, person_id = str((body.get("team") or {}).get("id") or ""), str(body["user"]["id"])
    await services.store.write(people.set_fix_notices, team_id, person_id, wanted=action.get("value") == ON)
    await ack()
    services.spawn(privacy.show_again(services, body))
