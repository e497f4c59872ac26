"""“Written down” under a gap of the documents, and “Undo”."""

from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck

from bot import gaps as gap_messages
from bot.blocks.gap import WRITTEN_ACTION
from bot.listeners.numbers import number_in
from bot.services import Services
from store import gaps


async def knowledge_gap(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], services: Services) -> None:
    """Close the gap or open it again, and show in its message who did."""
    person_id, gap_id = str(body["user"]["id"]), number_in(action)
    await gap_messages.require_writer(services, gap_id, person_id)
    if action.get("action_id") == WRITTEN_ACTION:
        await services.store.write(gaps.close, gap_id, person_id)
    else:
        await services.store.write(gaps.reopen, gap_id)
    await ack()
    services.spawn(_show(services, gap_id))


async def _show(services: Services, gap_id: int) -> None:
    await gap_messages.show(services, gap_id)
