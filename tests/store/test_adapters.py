"""The history of production, on both databases: one wins, nothing is rewritten, rollbacks go back step by step."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from sqlmodel import Session

from store import adapters
from store.errors import BadInput, NotFound
from store.session import Store
from store.tables import BASE, Promotion
from store.words import AdapterState, PromotionKind


def fields(version: int, **changed: Any) -> dict[str, Any]:
    return {
        "version": version,
        "name": f"v{version}",
        "path": f"/somewhere/v{version}-abc",
        "sha256": f"{version:064d}",
        "base_model": "small",
        "base_sha256": "0" * 64,
        "rank": 16,
        **changed,
    }


def register(store: Store, *versions: int) -> None:
    with store.writing() as session:
        for version in versions:
            adapters.register(session, **fields(version))


def move(store: Store, name: str, kind: PromotionKind = PromotionKind.PROMOTE) -> None:
    with store.writing() as session:
        seen = adapters.alias(session)
        adapters.move_production(
            session, seen, Promotion(kind=kind, adapter=name, previous=seen.adapter, person_id="U1")
        )


def roll_back(store: Store) -> str:
    with store.reading() as session:
        target = adapters.earlier(session)[0]
    move(store, target, PromotionKind.ROLLBACK)
    return target


def state(session: Session, name: str) -> AdapterState:
    return adapters.get(session, name).state


def test_before_anything_the_base_model_answers(store: Store) -> None:
    with store.reading() as session:
        assert adapters.production(session) == BASE
        assert adapters.answering(session) == BASE
        assert adapters.earlier(session) == []
        assert adapters.desired(session) == []
        assert adapters.next_version(session) == 1
        with pytest.raises(NotFound, match="no version called 'v9'"):
            adapters.get(session, "v9")


def test_registering_again_gives_the_same_row_and_never_overwrites(store: Store) -> None:
    register(store, 1)
    register(store, 1)
    with store.writing() as session:
        assert len(adapters.versions(session)) == 1
        assert adapters.next_version(session) == 2
        with pytest.raises(BadInput, match="never overwritten"):
            adapters.register(session, **fields(1, sha256="f" * 64))


def test_promotion_moves_alias_states_and_history_together(store: Store) -> None:
    register(store, 1, 2)
    move(store, "v1")
    move(store, "v2")
    with store.reading() as session:
        assert adapters.production(session) == "v2"
        assert state(session, "v2") == AdapterState.CHAMPION
        assert state(session, "v1") == AdapterState.RETIRED
        history = [(row.previous, row.adapter) for row in adapters.promotions(session, 10)]
        assert history == [("v1", "v2"), (BASE, "v1")]
        assert adapters.alias(session).generation == 2


def test_rollbacks_go_back_one_by_one_and_a_new_promotion_starts_from_there(store: Store) -> None:
    register(store, 1, 2, 3)
    move(store, "v1")
    move(store, "v2")
    assert roll_back(store) == "v1"
    assert roll_back(store) == BASE
    with store.reading() as session:
        assert adapters.earlier(session) == []
        assert len(adapters.promotions(session, 10)) == 4
    move(store, "v3")
    assert roll_back(store) == BASE


def test_rollback_passes_over_rejected_versions(store: Store) -> None:
    register(store, 1, 2, 3)
    for name in ("v1", "v2", "v3"):
        move(store, name)
    with store.writing() as session:
        assert adapters.reject(session, "v2", "damaged")
        assert not adapters.reject(session, "v2", "damaged")
    assert roll_back(store) == "v1"


def test_a_damaged_production_version_gives_way_to_the_one_before(store: Store) -> None:
    register(store, 1, 2)
    move(store, "v1")
    move(store, "v2")
    with store.writing() as session:
        adapters.reject(session, "v2", "damaged")
    with store.reading() as session:
        assert adapters.production(session) == "v2"
        assert adapters.answering(session) == "v1"
        assert [adapter.name for adapter in adapters.desired(session)] == ["v1"]


def test_replicas_hold_production_its_predecessor_and_the_newest_candidate(store: Store) -> None:
    register(store, 1, 2, 3, 4, 5)
    for name in ("v1", "v2", "v3"):
        move(store, name)
    with store.reading() as session:
        assert [adapter.name for adapter in adapters.desired(session)] == ["v3", "v2", "v5"]


def test_of_two_promotions_at_once_one_wins_and_history_says_so(store: Store) -> None:
    register(store, 1, 2)
    together = Barrier(2)

    def attempt(name: str) -> str:
        with store.reading() as session:
            seen = adapters.alias(session)
        together.wait()
        chosen = Promotion(kind=PromotionKind.PROMOTE, adapter=name, previous=seen.adapter, person_id="U1")
        try:
            with store.writing() as session:
                adapters.move_production(session, seen, chosen)
        except BadInput:
            return "lost"
        return name

    for round_number in range(10):
        with ThreadPoolExecutor(2) as pool:
            outcomes = list(pool.map(attempt, ("v1", "v2")))
        assert outcomes.count("lost") == 1, f"round {round_number}: {outcomes}"
        with store.reading() as session:
            rows = adapters.promotions(session, 100)
            assert len(rows) == round_number + 1
            assert adapters.production(session) == rows[0].adapter == next(one for one in outcomes if one != "lost")
