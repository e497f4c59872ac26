"""Keeps the documents current, and what they mean: one bot looks at their folder, every bot at what the store has."""

import asyncio
import logging
import uuid
from itertools import islice

from bot.services import Services
from serving.embeddings import EmbeddingsUnavailable
from store import channels, leases
from store.knowledge import folder, vectors
from store.memory import Memory

log = logging.getLogger(__name__)

LEASE = "documents"

BATCH = 32
"""Texts that the embeddings server is given at once."""


async def keep_current(services: Services) -> None:
    """Read what is new, changed or gone in the folder, and index it, until cancelled."""
    holder, every = f"documents-{uuid.uuid4().hex[:8]}", services.settings.knowledge.look_every_s
    while True:
        try:
            # Longer than one look lasts, or a second bot would read the same large folder beside this one.
            leading = await services.store.write(leases.acquire, LEASE, holder, 10 * every) is not None
            if leading:
                await _read_folder(services)
            if changed := await services.store.read(services.shelf.refresh):
                log.info("%d documents indexed anew; %d can be looked up", changed, len(services.shelf))
            if leading and (changed or services.shelf.not_embedded()):
                await embed(services)
        except Exception:
            log.exception("the documents could not be brought up to date; trying again")
        await asyncio.sleep(every)


async def memory_for(services: Services, team_id: str, channel_id: str, text: str) -> Memory:
    """What is kept at hand to answer a question with; its meaning only where documents are looked up by meaning."""
    wanted = bool(services.embeddings.model and len(services.shelf))
    # Where the channel looks nothing up, nobody outside is sent its questions.
    if wanted and (await services.store.read(channels.settings_of, team_id, channel_id)).documents:
        return Memory(services.approved, services.shelf, await services.embeddings.of_question(text))
    return Memory(services.approved, services.shelf)


async def embed(services: Services) -> None:
    """Have every passage that has no vector yet embedded; what the server refuses is found by its words alone."""
    model, shelf = services.embeddings.model, services.shelf
    lacking = {key: text for key, text in shelf.not_embedded().items() if key not in services.not_embeddable}
    for start in range(0, len(lacking), BATCH):
        batch = dict(islice(lacking.items(), start, start + BATCH))
        try:
            given = dict(zip(batch, await services.embeddings.of(list(batch.values())), strict=True))
        except EmbeddingsUnavailable as error:
            log.warning("%d passages have no vector yet; trying again: %s", len(lacking) - start, error)
            break
        found = {key: vector for key, vector in given.items() if vector is not None}
        services.not_embeddable.update(given.keys() - found.keys())
        await services.store.write(vectors.put, model, found)
        log.info("%d of %d passages embedded", start + len(batch), len(lacking))
    if model:
        await services.store.write(vectors.keep_only, model, shelf.embedded_keys())
        await services.store.read(shelf.refresh)


async def _read_folder(services: Services) -> None:
    settings = services.settings
    # In a thread: a large PDF takes seconds of CPU.
    changes = await asyncio.to_thread(folder.update, services.store, settings.documents, settings.knowledge.base_url)
    for source, problem in changes.problems.items():
        log.warning("the document %s cannot be used: %s", source, problem)
