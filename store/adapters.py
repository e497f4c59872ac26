"""Questions about adapters: which versions there are, which one answers, how production came to where it is."""

from pathlib import Path
from typing import Any

from sqlmodel import Session, col, func, select, update

from store import audit, evaluations, outbox
from store.audit import Act
from store.errors import BadInput, NotFound
from store.session import insert_ignoring
from store.tables import BASE, Adapter, Alias, Canary, Promotion, Trial, now
from store.words import AdapterState, AuditAction, PromotionKind

PRODUCTION = "production"


def alias(session: Session) -> Alias:
    """The production alias as it stands; before the first promotion it names the base model, generation 0."""
    return session.get(Alias, PRODUCTION) or Alias(name=PRODUCTION)


def production(session: Session) -> str:
    """The name that answers in production: an adapter's, or "base"."""
    return alias(session).adapter


def get(session: Session, name: str) -> Adapter:
    """The adapter of that name.

    Raises:
        NotFound: there is none.
    """
    found = session.exec(select(Adapter).where(Adapter.name == name)).first()
    if found is None:
        raise NotFound(f"There is no version called {name!r}.")
    return found


def versions(session: Session) -> list[Adapter]:
    """Every adapter, newest first."""
    return list(session.exec(select(Adapter).order_by(col(Adapter.version).desc())))


def promotions(session: Session, limit: int) -> list[Promotion]:
    """The latest moves of production, newest first."""
    return list(session.exec(select(Promotion).order_by(col(Promotion.id).desc()).limit(limit)))


def promotion_of(session: Session, name: str) -> Promotion | None:
    """The last time that a version was promoted, which names the evidence for it; rollbacks are left out."""
    promoted = select(Promotion).where(Promotion.adapter == name, Promotion.kind == PromotionKind.PROMOTE)
    return session.exec(promoted.order_by(col(Promotion.id).desc())).first()


def next_version(session: Session) -> int:
    """The number of the adapter that will be registered next."""
    return (session.exec(select(func.max(Adapter.version))).one() or 0) + 1


def register(session: Session, **fields: Any) -> Adapter:
    """Store a finished adapter; doing so again with the same content gives the row that is there.

    Raises:
        BadInput: another adapter has that name.
    """
    wanted = Adapter(**fields)
    known = session.exec(select(Adapter).where(Adapter.name == wanted.name)).first()
    if known is None:
        session.add(wanted)
        session.flush()
        audit.note(session, Act(AuditAction.REGISTER, about=_named(wanted.name), details={"sha256": wanted.sha256}))
        return wanted
    if known.sha256 != wanted.sha256:
        raise BadInput(f"Version {wanted.name} exists already with other content; versions are never overwritten.")
    return known


def earlier(session: Session) -> list[str]:
    """Names that answered in production before and may do so again, the latest first; ends with "base".

    Promotions pile up and a rollback takes one off, so a second rollback goes one further back. Rejected versions
    are left out.
    """
    pile = [BASE]
    for move in session.exec(select(Promotion).order_by(col(Promotion.id))):
        if move.kind == PromotionKind.PROMOTE:
            pile.append(move.adapter)
        else:
            while len(pile) > 1 and pile[-1] != move.adapter:
                pile.pop()
    rejected = set(session.exec(select(Adapter.name).where(Adapter.state == AdapterState.REJECTED)))
    return [name for name in reversed(pile[:-1]) if name not in rejected and name != production(session)]


def desired(session: Session) -> list[Adapter]:
    """What every replica must hold: production, the one before it, the canary, the newest candidate, what is tried."""
    names = [production(session), *earlier(session)[:1]]
    newest = session.exec(
        select(Adapter.name).where(Adapter.state == AdapterState.CANDIDATE).order_by(col(Adapter.version).desc())
    ).first()
    tried = session.exec(select(Trial.adapter).where(col(Trial.until) > now()))
    canary = session.exec(select(Canary.adapter).where(Canary.slot == PRODUCTION))
    wanted = dict.fromkeys([*names, *canary, newest, *tried])
    rows = {row.name: row for row in versions(session) if row.state != AdapterState.REJECTED}
    return [rows[name] for name in wanted if name in rows]


def answering(session: Session) -> str:
    """The name to ask: production's, or where that version was found damaged, the last sound one before it."""
    name = production(session)
    if name == BASE or get(session, name).state != AdapterState.REJECTED:
        return name
    return next(iter(earlier(session)), BASE)


def reject(session: Session, name: str, note: str) -> bool:
    """Take a version out of use for good; False if it was rejected already or is not ours."""
    changed = session.exec(
        update(Adapter)
        .where(col(Adapter.name) == name, col(Adapter.state) != AdapterState.REJECTED)
        .values(state=AdapterState.REJECTED, note=note)
    )
    if changed.rowcount:
        audit.note(session, Act(AuditAction.REJECT, about=_named(name)))
    return bool(changed.rowcount)


def discard(session: Session, name: str, person_id: str, note: str) -> None:
    """An admin sets a candidate aside: nobody can promote or try it until it is taken back.

    Raises:
        NotFound: there is no such version.
        BadInput: it is no candidate (any more).
    """
    changed = session.exec(
        update(Adapter)
        .where(col(Adapter.name) == name, col(Adapter.state) == AdapterState.CANDIDATE)
        .values(state=AdapterState.REJECTED, note=note, discarded_by=person_id)
    )
    if changed.rowcount:
        audit.note(session, Act(AuditAction.DISCARD, person_id, _named(name)))
    else:
        check_discardable(session, name)


def check_discardable(session: Session, name: str) -> None:
    """Raises what `discard` would raise."""
    if (state := get(session, name).state) != AdapterState.CANDIDATE:
        raise BadInput(f"Only a candidate can be discarded, and {name} is {state.value}.")


def take_back(session: Session, name: str, person_id: str) -> None:
    """An admin undoes `discard`: the version is a candidate again. What a check has rejected stays so.

    Raises:
        NotFound: there is no such version.
        BadInput: nobody discarded it, or its files have been deleted since.
    """
    adapter = get(session, name)
    if adapter.state != AdapterState.REJECTED or not adapter.discarded_by:
        raise BadInput(f"Version {name} was not discarded, so there is nothing to take back.")
    if not Path(adapter.path).is_dir():
        raise BadInput(f"The files of version {name} are gone from the disk, so it cannot come back.")
    adapter.state, adapter.note, adapter.discarded_by = AdapterState.CANDIDATE, "", ""
    audit.note(session, Act(AuditAction.TAKE_BACK, person_id, _named(name)))


def move_production(session: Session, seen: Alias, move: Promotion) -> Promotion:
    """Point production at `move.adapter`, provided that it still is as `seen`; writes history and states with it.

    Raises:
        BadInput: somebody else moved it meanwhile.
    """
    insert_ignoring(session, Alias, {"name": PRODUCTION, "adapter": BASE, "generation": 0, "updated_at": now()})
    changed = session.exec(
        update(Alias)
        .where(col(Alias.name) == PRODUCTION, col(Alias.generation) == seen.generation)
        .values(adapter=move.adapter, generation=seen.generation + 1, updated_at=now())
    )
    if not changed.rowcount:
        raise BadInput(f"Production was moved to {production(session)} meanwhile. Look at it and try again.")
    set_state(session, move.previous, AdapterState.RETIRED)
    set_state(session, move.adapter, AdapterState.CHAMPION)
    session.add(move)
    session.flush()
    _note_move(session, move)
    if move.kind == PromotionKind.PROMOTE:
        outbox.owe(session, f"fixes-{move.id}", "fixes", {"adapter": move.adapter})
    return move


def _note_move(session: Session, move: Promotion) -> None:
    promoted = move.kind == PromotionKind.PROMOTE
    facts: dict[str, audit.Fact] = {"previous": move.previous, "move": move.id, "evaluation": move.evaluation_id}
    if promoted:
        facts["against_advice"] = evaluations.advises_against(session, move.adapter)
    action = AuditAction.PROMOTE if promoted else AuditAction.ROLLBACK
    audit.note(session, Act(action, move.person_id, _named(move.adapter), details=facts))


def _named(name: str) -> str:
    return f"adapter {name}"


def set_state(session: Session, name: str, state: AdapterState) -> None:
    """Move a version to another part of its life; what was rejected stays so."""
    session.exec(
        update(Adapter)
        .where(col(Adapter.name) == name, col(Adapter.state) != AdapterState.REJECTED)
        .values(state=state)
    )


def leave_canary(session: Session, name: str) -> None:
    """A version that was a canary is what it was before: retired where it has been in production, else a candidate."""
    set_state(session, name, AdapterState.RETIRED if promotion_of(session, name) else AdapterState.CANDIDATE)
