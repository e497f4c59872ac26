"""Posts the messages that we owe to Slack, each exactly once.

One worker of all bots holds the lease. An attempt is counted before it is made; from the second on we look whether
the message stands there already, by the key in its metadata.
"""

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path

from bot import canarying, cards, corrections, escalating, fixes, gaps, notices, posting, reminding, reporting, sharing
from bot.blocks.card import night_card
from bot.posting import Picture, Place
from bot.services import Services
from serving.canary import NOTICE
from store import evaluations, leases, nights, outbox, reminders
from store.errors import BadInput
from store.tables import OutboxMessage
from store.words import Stage

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
LEASE_S = 30.0
BATCH = 20
LONGEST_PAUSE_S = 120.0
CHART_ALT = "Both versions side by side, each measure with its interval"
CURVES_ALT = "Loss on what is learnt and on what is held out, and the learning rate, step by step"

Poster = Callable[[Services, OutboxMessage, bool], Awaitable[Place]]


class OutboxWorker:
    """Posts what waits, until cancelled; `once` is one round."""

    def __init__(self, services: Services) -> None:
        """`services.outbox_wake` makes it look at once."""
        self._services = services
        self._name = f"outbox-{uuid.uuid4().hex[:8]}"
        self._not_before: dict[int, float] = {}

    async def work(self) -> None:
        """Post what is owed, until cancelled."""
        while True:
            try:
                await self.once()
            except Exception:
                log.exception("the outbox could not be emptied; trying again")
            self._services.outbox_wake.clear()
            try:
                await asyncio.wait_for(self._services.outbox_wake.wait(), LOOK_EVERY_S)
            except TimeoutError:
                continue

    async def once(self) -> int:
        """Try every message that is due; how many were posted."""
        store = self._services.store
        owed = await store.read(outbox.waiting, BATCH)
        due = [message for message in owed if self._not_before.get(message.id or 0, 0.0) <= time.monotonic()]
        posted = 0
        for message in due:
            # Renewed before each, so that a slow one does not let another bot post what follows as well.
            if await store.write(leases.acquire, "outbox", self._name, LEASE_S) is None:
                break
            posted += await self._post(message)
        return posted

    async def _post(self, message: OutboxMessage) -> bool:
        store, message_id = self._services.store, message.id or 0
        attempt = await store.write(outbox.begin_attempt, message_id)
        try:
            standing = await POSTERS[message.kind](self._services, message, attempt > 1)
        except Exception as error:
            log.exception("message %s could not be posted at attempt %d", message.key, attempt)
            self._not_before[message_id] = time.monotonic() + min(2.0**attempt, LONGEST_PAUSE_S)
            await store.write(outbox.failed, message_id, attempt, f"{type(error).__name__}: {error}")
            return False
        self._not_before.pop(message_id, None)
        await store.write(outbox.sent, message_id, standing.channel_id, standing.thread_ts)
        return True


async def post_card(services: Services, message: OutboxMessage, again: bool) -> Place:
    """Post a night's card in the admins' channel, and owe its pictures to the card's thread."""
    channel_id = services.settings.admin_channel
    if not channel_id:
        raise BadInput("There is no channel for the morning card. Set NIGHTSCHOOL_ADMIN_CHANNEL to a channel's id.")
    night_id = int(message.payload["night_id"])
    card = await services.store.read(cards.gather, services.settings, night_id)
    ts = await posting.post_once(services, Place(channel_id), night_card(card), message.key, again=again)
    payload = {"night_id": night_id, "channel_id": channel_id, "thread_ts": ts}
    if card.report is not None:
        await services.store.write(outbox.owe, f"{message.key}-chart", "night_chart", payload)
    if await _curves(services, night_id) is not None:
        await services.store.write(outbox.owe, f"{message.key}-curves", "night_curves", payload)
    services.outbox_wake.set()
    return Place(channel_id, ts)


async def post_chart(services: Services, message: OutboxMessage, again: bool) -> Place:
    """Upload a night's chart into the thread of its card."""
    compared = await services.store.read(evaluations.of_night, int(message.payload["night_id"]))
    path = Path(compared.chart) if compared and compared.chart else None
    return await _post_file(services, message, path, CHART_ALT, again=again)


async def post_curves(services: Services, message: OutboxMessage, again: bool) -> Place:
    """Upload the curves of a night's training into the thread of its card."""
    path = await _curves(services, int(message.payload["night_id"]))
    return await _post_file(services, message, path, CURVES_ALT, again=again)


async def _curves(services: Services, night_id: int) -> Path | None:
    trained = await services.store.read(nights.stage, night_id, Stage.TRAIN)
    drawn = trained.result.get("curves") if trained else None
    return Path(drawn) if drawn else None


async def _post_file(services: Services, message: OutboxMessage, path: Path | None, alt: str, *, again: bool) -> Place:
    place = Place(str(message.payload["channel_id"]), str(message.payload["thread_ts"]))
    if path is None or not path.is_file():
        log.warning("the picture of %s is not there, so it is not posted", message.key)
        return place
    picture = Picture(f"{message.key}.png", alt, path.read_bytes())
    await posting.post_picture(services, place, picture, again=again)
    return place


POSTERS: dict[str, Poster] = {
    "morning_card": post_card,
    "night_chart": post_chart,
    "night_curves": post_curves,
    NOTICE: canarying.post_rolled_back,
    "correction": corrections.post_correction,
    "correction_withdrawn": corrections.withdraw_correction,
    "fixes": fixes.owe_notices,
    "fix_notice": fixes.post_notice,
    "knowledge_gap": gaps.post_gap,
    escalating.KIND: escalating.post_call,
    sharing.KIND: sharing.post_shared,
    reminders.KIND: reminding.post_reminder,
    notices.PERSON: notices.post_to_person,
    notices.CHANNEL: notices.post_to_channel,
    reporting.CHARTS: reporting.post_charts,
    reporting.DIGEST: reporting.post_digest,
    reporting.DIGEST_CHART: reporting.post_digest_chart,
}
