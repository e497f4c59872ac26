"""A night of the year: the product's own, and the admin's rule for what it made."""

import asyncio
import time

from deploy.school_year.people import ADMIN
from deploy.school_year.records import NightRecord
from serving import rollout
from serving.fleet import Fleet
from store import adapters, evaluations, nights
from store.errors import BadInput
from store.session import Store
from store.settings import Settings
from store.tables import Evaluation, Night
from store.words import GateVerdict, NightState
from trainer.night import run_night
from trainer.work import LEASE_SECONDS, Say


def sleep_and_learn(settings: Settings, store: Store, record: NightRecord, *, promote_all: bool, say: Say) -> None:
    """Run the night, or go on with it, promote by the rule, and write down what came of it.

    Promoted is what the gate recommends; with `promote_all` also what it holds, as an admin may who says why. What it
    advises against stays out.

    Raises:
        NightschoolError: the night failed.
    """
    night = _ended_since(store, record.night_before) or _run(settings, store, say)
    with store.reading() as session:
        compared = evaluations.of_night(session, night.id or 0)
        production = adapters.production(session)
    record.outcome = night.outcome
    if compared is not None:
        record.version, record.verdict = compared.candidate, compared.verdict.value
        record.train_rows = compared.metrics["cost"]["train_rows"] or 0
        record.held_out_rows = compared.metrics["cost"]["held_out_rows"] or 0
        wanted = compared.verdict == GateVerdict.PROMOTE or (promote_all and compared.verdict == GateVerdict.HOLD)
        if wanted and production != compared.candidate:
            production = asyncio.run(_promote(settings, store, compared))
    record.production = production


def _ended_since(store: Store, before: int | None) -> Night | None:
    """The night that ended after the night with this number, where the year was killed before it could write so."""
    with store.reading() as session:
        latest = nights.latest(session)
    ended = latest is not None and latest.state in (NightState.DONE, NightState.DECLINED)
    return latest if ended and latest is not None and (latest.id or 0) > (before or 0) else None


def _run(settings: Settings, store: Store, say: Say) -> Night:
    # A year that was killed a moment ago still has the lease.
    deadline = time.monotonic() + 1.5 * LEASE_SECONDS
    while True:
        try:
            return run_night(settings, store, requested_by=ADMIN, say=say)
        except BadInput:
            if time.monotonic() > deadline:
                raise
            time.sleep(1.0)


async def _promote(settings: Settings, store: Store, compared: Evaluation) -> str:
    fleet = Fleet(settings)
    reason = "" if compared.verdict == GateVerdict.PROMOTE else "the rule of this school year: what is held is promoted"
    try:
        moved = await rollout.promote(store, fleet, compared.candidate, ADMIN, reason, compared.id)
    finally:
        await fleet.aclose()
    return moved.adapter
