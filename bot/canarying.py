"""A version answers a part of the threads beside production; if it does worse it is rolled back by itself."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlmodel import Session

from bot import home, posting, telling
from bot.blocks.canary import rolled_back, said_of_part
from bot.inbox import CANARY
from bot.posting import Place
from bot.services import Services
from serving import rollout
from serving.canary import watch
from store import canaries
from store.canaries import Part
from store.errors import BadInput, NightschoolError
from store.inbox import Arrival
from store.tables import Canary, OutboxMessage

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Wish:
    """An admin's wish to have a version answer a part; `key` names the form in which they asked for it."""

    key: str
    person_id: str
    adapter: str
    share: float
    channels: Sequence[str] = ()
    people: Sequence[str] = ()

    @property
    def part(self) -> Part:
        """Which threads it shall answer."""
        return Part(self.share, tuple(self.channels), tuple(self.people))


async def wish(services: Services, wanted: Wish) -> None:
    """Store the wish: loading the version may take longer than a click may last.

    Raises:
        NotFound, BadInput: it cannot be a canary.
    """
    await services.store.read(canaries.check, wanted.adapter)
    await services.inbox.keep(Arrival(wanted.key, CANARY, asdict(wanted)))


async def carry_out(services: Services, wanted: Wish) -> None:
    """Load the version and let it begin; the admin reads in their direct message that it did, or why not."""
    try:
        present = await services.store.read(canaries.running)
        # Begun before a crash, perhaps.
        if present is None or present.adapter != wanted.adapter:
            await rollout.start_canary(services.store, services.fleet, wanted.adapter, wanted.part, wanted.person_id)
        said = f"{wanted.adapter} answers {said_of_part(wanted.part)} from now on. My Home tab shows how it does."
    except NightschoolError as error:
        said = f"{wanted.adapter} cannot be a canary: {error}"
    await home.publish(services, wanted.person_id)
    await telling.message_person(services, wanted.person_id, said)


async def keep_watching(services: Services) -> None:
    """Look at the canary every few seconds and end it if it does worse than production, until cancelled."""
    settings = services.settings.canary
    while True:
        try:
            if await services.store.read(canaries.running) is not None:
                ended = await services.store.write(watch, settings)
                if ended is not None:
                    log.warning("the canary %s was rolled back: %s", ended.adapter, ended.reason)
                    services.outbox_wake.set()
        except Exception:
            log.exception("the canary could not be looked at; trying again")
        await asyncio.sleep(settings.look_every_s)


async def post_rolled_back(services: Services, message: OutboxMessage, again: bool) -> Place:
    """Tell the admins in their channel that a canary was rolled back by itself, and why."""
    channel_id = services.settings.admin_channel
    if not channel_id:
        raise BadInput("There is no channel for the admins. Set NIGHTSCHOOL_ADMIN_CHANNEL to a channel's id.")
    canary = await services.store.read(_get, int(message.payload["canary_id"]))
    ts = await posting.post_once(services, Place(channel_id), rolled_back(canary), message.key, again=again)
    return Place(channel_id, ts)


def _get(session: Session, canary_id: int) -> Canary:
    return session.get_one(Canary, canary_id)
