"""A loop that makes every replica hold what the store says, whatever happened to it.

vLLM forgets its adapters when it restarts; this loop looks at what is there rather than at what happened, so one that
was killed, moved or started late is served its adapters again without a person. A broken version is put aside and
never stands in the way of the others. Only changes are logged.
"""

import asyncio
import logging
from dataclasses import dataclass, field

from sqlalchemy.exc import SQLAlchemyError

from serving.fleet import Fleet
from store import adapters, leases
from store.errors import AdapterRejected, ModelUnavailable, NightschoolError
from store.session import Store
from store.settings import Settings
from store.tables import BASE, Adapter

logger = logging.getLogger(__name__)


@dataclass
class Reconciler:
    """Compares replicas with the store; `once` for one round, `forever` for the loop (cancel it to stop)."""

    store: Store
    fleet: Fleet
    settings: Settings
    _reported: dict[str, str] = field(default_factory=dict)

    async def forever(self) -> None:
        """Reconcile every `serving.reconcile_every_s` seconds until cancelled."""
        while True:
            try:
                await self.once()
            except (NightschoolError, SQLAlchemyError) as error:
                self._report("loop", f"the replicas could not be compared with the store: {error}")
            await asyncio.sleep(self.settings.serving.reconcile_every_s)

    async def once(self) -> None:
        """One round over every replica: load what is missing, unload what is far behind."""
        if self.settings.serving.while_training == "sleep" and await self._sleeping():
            return
        wanted = await self.store.read(adapters.desired)
        held = await self.fleet.holdings()
        for url in self.fleet.urls:
            if url not in held:
                self._report(url, f"{url} does not answer")
                continue
            self._report(url, "")
            for adapter in wanted:
                if held[url].get(adapter.name) != adapter.path:
                    await self._load(url, adapter)
        await self._unload_surplus(wanted, held)
        self._report("loop", "")

    async def _sleeping(self) -> bool:
        """Whether the replicas sleep while a night trains; sleepers whom a night forgot are woken."""
        if not await self.fleet.asleep():
            return False
        if await self.store.read(leases.is_held, leases.NIGHT):
            return True
        logger.warning("no night is running, but a model server sleeps; waking it")
        await self.fleet.wake()
        return False

    async def _load(self, url: str, adapter: Adapter) -> None:
        key = f"{url} {adapter.name}"
        try:
            await self.fleet.load_on(url, adapter)
        except AdapterRejected as rejected:
            if await self.store.write(adapters.reject, adapter.name, str(rejected)):
                logger.error("put aside: %s", rejected)
        except ModelUnavailable as unavailable:
            self._report(key, str(unavailable))
        else:
            self._report(key, "")

    async def _unload_surplus(self, wanted: list[Adapter], held: dict[str, dict[str, str]]) -> None:
        """Unload the oldest versions where more are held than fit in memory.

        Not as soon as they are unwanted: a version that is loaded again while an answer on it is still under way
        would have two identities in one batch, which stops vLLM's engine. Names that the store does not know (a
        candidate that is being evaluated) are left alone.
        """
        most = self.settings.serving.max_cpu_loras
        if all(len(names.keys() - {BASE}) <= most for names in held.values()):
            return
        known = await self.store.read(adapters.versions)
        needed = {adapter.name for adapter in wanted}
        removable = [adapter.name for adapter in reversed(known) if adapter.name not in needed]
        for names in held.values():
            surplus = len(names.keys() - {BASE}) - most
            for name in [name for name in removable if name in names][: max(surplus, 0)]:
                await self.fleet.unload(name)

    def _report(self, subject: str, state: str) -> None:
        before = self._reported.get(subject, "")
        if state != before:
            self._reported[subject] = state
            if state:
                logger.warning("%s", state)
            else:
                logger.info("well again: %s", before)
