"""What the queue shows: a filter, channels, the next page. Kept, so that the next opening shows the same."""

from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck
from sqlmodel import Session

from bot import home, permissions
from bot.blocks.home.reviewing import CHANNELS_ACTION, FILTER_ACTION, TAG_PREFIX
from bot.services import Services
from store.review_queue import desk_of
from store.words import QueueFilter

MOST_CHANNELS = 50
LAST_PAGE = 1000


async def choose_queue(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], services: Services) -> None:
    """Note the choice and show the queue with it."""
    person_id = str(body["user"]["id"])
    await permissions.require_reviewer(services, person_id)
    await services.store.write(_choose, person_id, action)
    await ack()
    services.spawn(home.publish(services, person_id))


def _choose(session: Session, reviewer_id: str, action: dict[str, Any]) -> None:
    desk = desk_of(session, reviewer_id)
    desk.page, name = 0, action.get("action_id")
    if name == FILTER_ACTION:
        value = str((action.get("selected_option") or {}).get("value") or "")
        desk.tag = value.removeprefix(TAG_PREFIX) if value.startswith(TAG_PREFIX) else ""
        desk.filter = QueueFilter(value) if value in list(QueueFilter) else QueueFilter.ALL
    elif name == CHANNELS_ACTION:
        desk.channels = [str(one) for one in action.get("selected_conversations") or []][:MOST_CHANNELS]
    else:
        value = str(action.get("value") or "")
        desk.page = min(int(value), LAST_PAGE) if value.isascii() and value.isdigit() and len(value) < 5 else 0
    session.add(desk)
