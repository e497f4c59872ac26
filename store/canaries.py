"""Canaries: a version answers a part of the new threads for a while, and what comes of them is counted.

A thread is drawn by a hash of the canary and the thread, so it stays where it is however often it is asked about, and
which threads are drawn has nothing to do with what is asked in them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

from sqlmodel import Session, col, select

from store import adapters, audit
from store.audit import Act
from store.errors import BadInput, NotFound
from store.session import insert_ignoring
from store.tables import Adapter, Canary, Promotion, Ticket, now
from store.words import AdapterState, AuditAction, CanaryOutcome

SLOT = adapters.PRODUCTION


@dataclass(frozen=True)
class Part:
    """Which new threads a canary answers: a share of all, or of those in some channels or of some people."""

    share: float
    channels: Sequence[str] = ()
    people: Sequence[str] = ()


def running(session: Session) -> Canary | None:
    """The canary that answers now, if there is one."""
    return session.exec(select(Canary).where(Canary.slot == SLOT)).first()


def latest(session: Session, limit: int) -> list[Canary]:
    """The last canaries, newest first."""
    return list(session.exec(select(Canary).order_by(col(Canary.id).desc()).limit(limit)))


def start(session: Session, name: str, part: Part, person_id: str) -> Canary:
    """Have a version answer a part of the threads that begin from now on.

    Raises:
        NotFound: there is no such version.
        BadInput: it was rejected, answers everybody already, another canary runs, or the part makes no sense.
    """
    check(session, name)
    if not 0 < part.share <= 1:
        raise BadInput("A canary answers more than 0 % and at most 100 % of the threads of its part.")
    if part.share == 1 and not part.channels and not part.people:
        raise BadInput("A canary of all threads would be a promotion. Choose a smaller share, or channels, or people.")
    champion = adapters.production(session)
    values = {
        "slot": SLOT,
        "adapter": name,
        "champion": champion,
        "share": part.share,
        "channels": list(part.channels),
        "people": list(part.people),
        "outcome": CanaryOutcome.RUNNING,
        "reason": "",
        "started_by": person_id,
        "ended_by": "",
        "started_at": now(),
    }
    if not insert_ignoring(session, Canary, values):
        raise BadInput("Another canary has just begun. Look at it first.")
    adapters.set_state(session, name, AdapterState.CANARY)
    facts: dict[str, audit.Fact] = {
        "share": part.share,
        "channels": list(part.channels),
        "people": frozenset(part.people),
    }
    audit.note(session, Act(AuditAction.START_CANARY, person_id, f"adapter {name}", details=facts))
    return session.exec(select(Canary).where(Canary.slot == SLOT)).one()


def check(session: Session, name: str) -> Adapter:
    """Raises what `start` would raise of a version, whatever the part; the version."""
    adapter = adapters.get(session, name)
    if adapter.state == AdapterState.REJECTED:
        raise BadInput(f"Version {name} was rejected and cannot be a canary.")
    if name == adapters.production(session):
        raise BadInput(f"Version {name} answers everybody already, so it cannot be a canary.")
    if (present := running(session)) is not None:
        raise BadInput(f"The canary {present.adapter} is answering already. Stop or promote it first.")
    return adapter


def end(session: Session, canary_id: int, outcome: CanaryOutcome, reason: str, person_id: str = "") -> bool:
    """End a canary, whose threads production answers from now on; False if it had ended already.

    `person_id` is empty where it was rolled back by itself.

    Raises:
        NotFound: there is no such canary.
    """
    canary = session.get(Canary, canary_id, with_for_update=True)
    if canary is None:
        raise NotFound(f"There is no canary {canary_id}.")
    if canary.slot is None:
        return False
    canary.slot, canary.outcome, canary.reason = None, outcome, reason
    canary.ended_by, canary.ended_at = person_id, now()
    about = f"adapter {canary.adapter}"
    audit.note(session, Act(AuditAction.END_CANARY, person_id, about, details={"outcome": outcome}))
    if outcome != CanaryOutcome.PROMOTED:
        adapters.leave_canary(session, canary.adapter)
    return True


def stop(session: Session, reason: str, person_id: str, name: str = "") -> str:
    """A person ends the canary that runs, or the one called `name` that they saw; the version's name.

    Raises:
        BadInput: it has ended already.
    """
    canary = running(session)
    if canary is None or (name and canary.adapter != name):
        raise BadInput(f"{f'The canary {name} has ended already' if name else 'No canary is running'}.")
    end(session, canary.id or 0, CanaryOutcome.STOPPED, reason, person_id)
    return canary.adapter


def end_for(session: Session, move: Promotion) -> None:
    """End the canary that runs when production has moved: what it was compared with is no longer there."""
    canary = running(session)
    if canary is None:
        return
    if canary.adapter == move.adapter:
        end(session, canary.id or 0, CanaryOutcome.PROMOTED, move.reason, move.person_id)
    else:
        reason = f"Production moved to {move.adapter}."
        end(session, canary.id or 0, CanaryOutcome.STOPPED, reason, move.person_id)


def covering(session: Session, ticket: Ticket) -> Canary | None:
    """The canary that answers a ticket's thread, if one does.

    Threads that began before the canary stay with production, so that no conversation changes its voice halfway,
    unless to end one that goes wrong.
    """
    canary = running(session)
    if canary is None or ticket.created_at < canary.started_at or not is_drawn(canary, ticket):
        return None
    return None if adapters.get(session, canary.adapter).state == AdapterState.REJECTED else canary


def is_drawn(canary: Canary, ticket: Ticket) -> bool:
    """Whether a thread falls to the canary, by where and by whom it was asked and by the draw."""
    named = ticket.channel_id in canary.channels or ticket.asker_id in canary.people
    if (canary.channels or canary.people) and not named:
        return False
    drawn = blake2b(f"{canary.id}/{ticket.id}".encode(), digest_size=8).digest()
    return int.from_bytes(drawn) < canary.share * 2**64
