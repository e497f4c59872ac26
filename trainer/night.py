"""The night: curate, train, register, evaluate, report. Each stage is done once.

A killed night goes on where it stood. One process works on nights at a time (a lease), whether it is the scheduler or
a person at the command line. What a stage has made stands in rows and read-only folders, so a stage that is begun
again finds it and goes on from there.
"""

import logging
import os
import socket
import uuid
from collections.abc import Callable
from typing import Any

from sqlmodel import Session

from serving.base_model import ensure_base_model
from store import evaluations, nights, outbox
from store.artifacts import sweep
from store.errors import BadInput, NightschoolError
from store.failpoints import failpoint
from store.session import Store
from store.settings import Settings
from store.tables import Night
from store.words import NightState, Stage, StageState
from trainer.curate.stage import curate
from trainer.evaluate import evaluate
from trainer.learn import learn
from trainer.register import register
from trainer.report import CARD, report
from trainer.work import Cancelled, Declined, LeaseLost, NightLease, Say, Work

logger = logging.getLogger(__name__)

MOST_ATTEMPTS = 10

STAGES: dict[Stage, Callable[[Work], Any]] = {
    Stage.CURATE: curate,
    Stage.TRAIN: learn,
    Stage.REGISTER: register,
    Stage.EVALUATE: evaluate,
    Stage.REPORT: report,
}


def new_lease(store: Store) -> NightLease:
    """The lease on nights, for this process alone."""
    return NightLease(store, f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}")


def run_night(settings: Settings, store: Store, *, requested_by: str, say: Say) -> Night:
    """Run a night now, or go on with the one that was interrupted, stopped or failed; the night as it ended.

    Ctrl-C stops it between two steps or within one; run again, it goes on from there.

    Raises:
        BadInput: another process is running a night.
        NightschoolError: the night failed; the message says why and what to do.
    """
    with new_lease(store) as lease:
        if lease.token is None:
            raise BadInput("A night is running already; `nightschool nights` lists it. Wait for its end.")
        with store.writing() as session:
            night = _to_go_on_with(session) or nights.request(session, requested_by)
            nights.forgive(session, stored_id(night))
        night = carry_out(settings, store, lease, night, say)
    if night.state is NightState.FAILED:
        raise NightschoolError(night.outcome)
    say(night.outcome)
    return night


def _to_go_on_with(session: Session) -> Night | None:
    """The night that was interrupted or asked for, else the latest one if it failed today."""
    unfinished, latest = nights.unfinished(session), nights.latest(session)
    if unfinished is not None or latest is None or latest.state is not NightState.FAILED:
        return unfinished
    return latest if nights.may_go_on(latest) else None


def carry_out(settings: Settings, store: Store, lease: NightLease, night: Night, say: Say) -> Night:
    """Bring a night to its end from wherever it stands, under a lease that is held; the night as it ended.

    Raises:
        LeaseLost: another process has taken over; it goes on there.
    """
    night_id = stored_id(night)
    say(f"Night {night.key}")
    with store.writing() as session:
        lease.check(session)
        nights.begin(session, night_id)
    failpoint("night.begun")
    for part in ("datasets", "adapters", f"reports/{night.key}"):
        sweep(settings.artifacts / part)
    try:
        work = Work(settings, store, lease, night, ensure_base_model(settings, say), say)
        for stage in STAGES:
            _attempt(work, stage)
        _end(work.store, lease, night_id, NightState.DONE, _outcome(work))
    except Declined as declined:
        _end(store, lease, night_id, NightState.DECLINED, str(declined))
    except Cancelled as cancelled:
        _cancelled(store, lease, night_id, str(cancelled))
    except LeaseLost:
        raise
    except NightschoolError as error:
        _fail(store, lease, night_id, str(error))
    except KeyboardInterrupt:
        _fail(store, lease, night_id, "Stopped by hand; `nightschool night` goes on with it.")
        raise
    with store.reading() as session:
        return nights.get(session, night_id)


def _attempt(work: Work, which: Stage) -> None:
    """Do one stage, unless it is done, and record how it ended."""
    work.check_wanted()
    with work.writing() as session:
        row = nights.stage(session, work.night_id, which)
        if row is not None and row.state is StageState.DONE:
            return
        if row is not None and row.attempts >= MOST_ATTEMPTS:
            raise NightschoolError(
                f"The stage {which} was begun {row.attempts} times and never ended; the machine may lack memory. "
                "`nightschool night` tries once more."
            )
        nights.begin_stage(session, work.night_id, which)
    failpoint("stage.begun")
    try:
        STAGES[which](work)
    except Declined as declined:
        _record(work, which, StageState.DECLINED, str(declined))
        raise
    except Cancelled as cancelled:
        work.say(f"{which}: cancelled by {cancelled}")
        _record(work, which, StageState.CANCELLED, f"Cancelled by {cancelled}.")
        raise
    except LeaseLost:
        raise
    except NightschoolError as error:
        _record(work, which, StageState.FAILED, str(error))
        raise
    except Exception as error:
        # A broken stage must not end the scheduler; its trace goes to the log, its sentence to the admins.
        logger.exception("the stage %s of night %s broke", which, work.night.key)
        sentence = f"The stage {which} broke in a way we had not foreseen: {error!r}. The scheduler's log says where."
        _record(work, which, StageState.FAILED, sentence)
        raise NightschoolError(sentence) from error
    _record(work, which, StageState.DONE)


def _record(work: Work, which: Stage, state: StageState, error: str = "") -> None:
    with work.writing() as session:
        nights.finish_stage(session, work.night_id, which, state, error)
    failpoint("stage.recorded")


def _outcome(work: Work) -> str:
    with work.store.reading() as session:
        evaluation = evaluations.of_night(session, work.night_id)
    return f"{evaluation.candidate}: {evaluation.summary}" if evaluation is not None else ""


def _end(store: Store, lease: NightLease, night_id: int, state: NightState, outcome: str) -> None:
    """End a night, and owe its card in the same transaction."""
    with store.writing() as session:
        lease.check(session)
        nights.finish(session, night_id, state, outcome)
        outbox.owe(session, f"night-{night_id}", CARD, {"night_id": night_id})
    failpoint("night.ended")


def _cancelled(store: Store, lease: NightLease, night_id: int, person_id: str) -> None:
    """End a night that a person cancelled; no card is owed, since that person knows."""
    with store.writing() as session:
        lease.check(session)
        outcome = f"Cancelled by {person_id}. Nothing was changed; asked for again within a day, it goes on from here."
        nights.finish(session, night_id, NightState.CANCELLED, outcome)


def _fail(store: Store, lease: NightLease, night_id: int, error: str) -> None:
    """End a night for now; the card is owed when nothing but a person will start it again."""
    with store.writing() as session:
        lease.check(session)
        failed = [row for row in nights.stages(session, night_id) if row.state is StageState.FAILED]
        again = nights.next_attempt(failed[-1]) if failed else None
        if again is not None:
            error = f"{error} The scheduler tries again at {again:%H:%M} UTC."
        nights.finish(session, night_id, NightState.FAILED, error)
        if failed and again is None:
            # Another key than that of a good end: the night may still come to one, and then owes that card too.
            key = f"night-{night_id}-failed-{failed[-1].attempts}"
            outbox.owe(session, key, CARD, {"night_id": night_id})


def stored_id(night: Night) -> int:
    """The id of a night that has been stored."""
    if night.id is None:
        raise ValueError(f"the night {night.key} has not been stored")
    return night.id
