"""Hundreds of random histories of production, against a model of a few lines; a failure names its seed."""

import random
from dataclasses import dataclass, field

import pytest
from sqlmodel import Session, select

from store import adapters, audit_trail
from store.audit_trail import Seen
from store.session import Store
from store.tables import BASE, Adapter, Promotion
from store.words import AdapterState, PromotionKind
from tests.store.test_adapters import move, register, roll_back

VERSIONS = 5
STEPS = 12


@dataclass
class Model:
    """What must hold: promotions pile up, a rollback takes them off, what is rejected answers nobody."""

    pile: list[str] = field(default_factory=lambda: [BASE])
    rejected: set[str] = field(default_factory=set)

    @property
    def earlier(self) -> list[str]:
        """What may be gone back to, the latest first."""
        below = reversed(self.pile[:-1])
        return [name for name in below if name not in self.rejected and name != self.pile[-1]]

    @property
    def answering(self) -> str:
        """Who answers: production, or the last sound one before it."""
        return self.pile[-1] if self.pile[-1] not in self.rejected else [*self.earlier, BASE][0]


def step(store: Store, model: Model, chosen: random.Random) -> str:
    """One random act of an admin or a check, and what it was."""
    free = [f"v{number}" for number in range(1, VERSIONS + 1) if f"v{number}" not in {*model.rejected, model.pile[-1]}]
    act = chosen.choices(["promote", "roll back", "reject"], [5, 4, 1])[0]
    if act == "promote" and free:
        name = chosen.choice(free)
        move(store, name)
        model.pile.append(name)
    elif act == "roll back" and model.earlier:
        name = roll_back(store)
        while model.pile[-1] != name:
            model.pile.pop()
    elif act == "reject":
        name = f"v{chosen.randrange(1, VERSIONS + 1)}"
        with store.writing() as session:
            adapters.reject(session, name, "damaged")
        model.rejected.add(name)
    else:
        return "nothing"
    return f"{act} {name}"


def check(session: Session, model: Model) -> None:
    """What holds after each act."""
    assert adapters.production(session) == model.pile[-1]
    assert adapters.earlier(session) == list(model.earlier)
    assert adapters.answering(session) == model.answering
    champions = session.exec(select(Adapter.name).where(Adapter.state == AdapterState.CHAMPION)).all()
    assert set(champions) == {model.pile[-1]} - {BASE, *model.rejected}
    held = {row.name for row in adapters.desired(session)}
    assert not held & model.rejected
    assert model.answering in {*held, BASE}


def history(store: Store, seed: int) -> None:
    """One random history from a fresh set of rows to its end."""
    chosen, model, acts = random.Random(seed), Model(), []
    for _ in range(STEPS):
        acts.append(step(store, model, chosen))
        with store.reading() as session:
            try:
                check(session, model)
            except AssertionError as error:
                raise AssertionError(f"seed {seed}: {acts}") from error
    with store.reading() as session:
        moves = session.exec(select(Promotion)).all()
        assert len(moves) == sum(act.startswith(("promote", "roll")) for act in acts)
        assert audit_trail.verify(session, Seen.read("")).entries == VERSIONS + len(moves) + len(model.rejected)


@pytest.mark.parametrize("seed", range(6))
def test_random_histories_agree_with_the_model(store: Store, seed: int) -> None:
    register(store, *range(1, VERSIONS + 1))
    history(store, seed)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(300))
def test_three_hundred_random_histories_agree_with_the_model(sqlite_store: Store, seed: int) -> None:
    register(sqlite_store, *range(1, VERSIONS + 1))
    history(sqlite_store, seed)


def test_the_control_a_rollback_to_the_wrong_version_is_caught(sqlite_store: Store) -> None:
    register(sqlite_store, 1, 2, 3)
    model = Model()
    for name in ("v1", "v2", "v3"):
        move(sqlite_store, name)
        model.pile.append(name)
    move(sqlite_store, "v1", PromotionKind.ROLLBACK)
    model.pile.pop()
    with sqlite_store.reading() as session, pytest.raises(AssertionError):
        check(session, model)
