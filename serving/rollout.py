"""Which version answers, and the two ways to change it: promote and roll back.

The alias is a row that is read at each question, so a move takes effect at the next one; answers under way end on the
version they began with, which stays loaded.
"""

import logging

from sqlmodel import Session

from serving.fleet import Fleet
from store import adapters, canaries, erasure, trials
from store.canaries import Part
from store.errors import AdapterRejected, BadInput
from store.session import Store
from store.tables import BASE, Alias, Canary, Promotion, Ticket, Trial
from store.words import AdapterState, Arm, PromotionKind, Surface

logger = logging.getLogger(__name__)


def model_for(session: Session, ticket: Ticket) -> tuple[str, Arm]:
    """The model name to ask for a ticket's next answer, and the arm of the roll-out that it belongs to.

    A thread that a canary has drawn stays with it while it runs. Every other one follows production at once, so that a
    rollback reaches the threads that need it most. The direct message of an admin who tries a version is answered by
    that one, and nothing of such a thread is learnt.
    """
    if ticket.surface == Surface.DIRECT_MESSAGE and (trial := trials.of(session, ticket.asker_id)):
        ticket.trainable = False
        return trial.adapter, Arm.TRIAL
    if canary := canaries.covering(session, ticket):
        return canary.adapter, Arm.CANARY
    return adapters.answering(session), Arm.CHAMPION


async def promote(
    store: Store, fleet: Fleet, name: str, person_id: str, reason: str = "", evaluation_id: int | None = None
) -> Promotion:
    """Make a version answer in production: check, load everywhere, probe, then move the alias in one transaction.

    Raises:
        NotFound: there is no such version.
        BadInput: it answers already, or somebody else moved production meanwhile.
        AdapterRejected: it failed its check or probe; production stays as it was.
        ModelUnavailable: a model server does not answer; likewise.
    """
    seen = await store.read(adapters.alias)
    if name == seen.adapter:
        raise BadInput(f"Version {name} answers in production already.")
    move = Promotion(
        kind=PromotionKind.PROMOTE,
        adapter=name,
        previous=seen.adapter,
        person_id=person_id,
        reason=reason,
        evaluation_id=evaluation_id,
    )
    return await _move(store, fleet, seen, move)


async def rollback(store: Store, fleet: Fleet, person_id: str, reason: str = "") -> Promotion:
    """Go back to what answered before; once more goes one further back, in the end to the base model.

    Raises:
        BadInput: there is nothing to go back to, or somebody else moved production meanwhile.
        AdapterRejected, ModelUnavailable: as `promote`.
    """
    seen, earlier = await store.read(lambda session: (adapters.alias(session), adapters.earlier(session)))
    if not earlier:
        raise BadInput("There is nothing to roll back to: no other version has answered in production before.")
    move = Promotion(
        kind=PromotionKind.ROLLBACK, adapter=earlier[0], previous=seen.adapter, person_id=person_id, reason=reason
    )
    return await _move(store, fleet, seen, move)


async def try_out(store: Store, fleet: Fleet, name: str, person_id: str) -> Trial:
    """Have a person's direct messages answered by a version for a while: check and load it, then note the trial.

    Raises:
        NotFound, BadInput: see `trials.start`.
        AdapterRejected, ModelUnavailable: as `promote`; no trial begins.
    """
    await _load(store, fleet, name)
    return await store.write(trials.start, person_id, name)


async def start_canary(store: Store, fleet: Fleet, name: str, part: Part, person_id: str) -> Canary:
    """Have a version answer a part of the new threads: check and load it on every replica, then begin.

    Raises:
        NotFound, BadInput: see `canaries.start`.
        AdapterRejected, ModelUnavailable: as `promote`; no canary begins.
    """
    await store.read(canaries.check, name)
    await _load(store, fleet, name)
    return await store.write(canaries.start, name, part, person_id)


async def _move(store: Store, fleet: Fleet, seen: Alias, move: Promotion) -> Promotion:
    if move.adapter != BASE:
        await _load(store, fleet, move.adapter)
    moved = await store.write(_moved, seen, move)
    logger.info("production moved from %s to %s by %s", moved.previous, moved.adapter, moved.person_id)
    return moved


def _moved(session: Session, seen: Alias, move: Promotion) -> Promotion:
    moved = adapters.move_production(session, seen, move)
    canaries.end_for(session, move)
    return moved


async def _load(store: Store, fleet: Fleet, name: str) -> None:
    adapter = await store.read(adapters.get, name)
    if adapter.state == AdapterState.REJECTED:
        raise AdapterRejected(f"Version {name} was rejected and stays so: {adapter.note}")
    if not fleet.settings.gate.promote_after_erasure and await store.read(erasure.tainted, name):
        raise AdapterRejected(
            f"Version {name} was trained on tickets of somebody who has been forgotten since, so it may not answer "
            "again. Train another one, or allow it with NIGHTSCHOOL_GATE__PROMOTE_AFTER_ERASURE."
        )
    try:
        await fleet.load(adapter)
    except AdapterRejected as rejected:
        await store.write(adapters.reject, name, str(rejected))
        raise
