"""“Don't tell me again” under a notice about a fix, and “Tell me again”, its undo."""

from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck

from bot import telling
from bot.blocks.fix import LOUD_ACTION, loud, quiet
from bot.posting import Place
from bot.services import Services
from store import people


async def fix_notices(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], services: Services) -> None:
    """Store what the person wants; a second click says the same again."""
    person_id, team_id = str(body["user"]["id"]), str(body["team"]["id"])
    wanted = action.get("action_id") == LOUD_ACTION
    await services.store.write(people.set_fix_notices, team_id, person_id, wanted=wanted)
    await ack()
    place = Place(str((body.get("container") or {}).get("channel_id") or ""))
    services.spawn(telling.whisper(services, place, person_id, loud() if wanted else quiet()))
