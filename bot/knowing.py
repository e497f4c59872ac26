"""Keeps the documents current: one bot looks at their folder, every bot at what the store has of them."""

import asyncio
import logging
import uuid

from bot.services import Services
from store import leases
from store.knowledge import folder

log = logging.getLogger(__name__)

LEASE = "documents"


async def keep_current(services: Services) -> None:
    """Read what is new, changed or gone in the folder, and index it, until cancelled."""
    holder, every = f"documents-{uuid.uuid4().hex[:8]}", services.settings.knowledge.look_every_s
    while True:
        try:
            # Longer than one look lasts, or a second bot would read the same large folder beside this one.
            if await services.store.write(leases.acquire, LEASE, holder, 10 * every) is not None:
                await _read_folder(services)
            if changed := await services.store.read(services.shelf.refresh):
                log.info("%d documents indexed anew; %d can be looked up", changed, len(services.shelf))
        except Exception:
            log.exception("the documents could not be brought up to date; trying again")
        await asyncio.sleep(every)


async def _read_folder(services: Services) -> None:
    settings = services.settings
    # In a thread: a large PDF takes seconds of CPU.
    changes = await asyncio.to_thread(folder.update, services.store, settings.documents, settings.knowledge.base_url)
    for source, problem in changes.problems.items():
        log.warning("the document %s cannot be used: %s", source, problem)
