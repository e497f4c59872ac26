import asyncio
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from sqlmodel import Session, SQLModel, select

from serving import rollout
from serving.fleet import Fleet
from store import adapters, artifacts, erasure, inbox, lineage
from store.errors import AdapterRejected, BadInput
from store.inbox import Arrival
from store.session import Store
from store.settings import GateSettings, Settings
from store.tables import Dataset, InboxEvent, Message, Review, Ticket, Vote
from store.words import Role, Verdict, VoteValue
from tests.trainer.conftest import RunNight
from tests.trainer.tickets import add_distinct, add_reviewed
from trainer.curate.purge import purge_datasets

EVE, TOM = "U0EVE000001", "U0TOM000001"
SECRET = "my blue parrot Kiko"


def everything(session: Session) -> str:
    tables = [mapper.class_ for mapper in SQLModel._sa_registry.mappers]
    return "\n".join(str(row.model_dump()) for table in tables for row in session.exec(select(table)))


def one_night_with_eve(store: Store, one_night: RunNight) -> None:
    add_distinct(store, 40)
    with store.writing() as session:
        for number in range(6):
            add_reviewed(session, f"May I bring {SECRET} on day {number * 17}?", f"Yes, {SECRET} may come.", asker=EVE)
        other = add_reviewed(session, "Is there a lift to the dome?", "Yes, at gate 4.", asker=TOM)
        session.add(
            Message(ticket_id=other.ticket_id, ts="9.9", person_id=EVE, role=Role.HELPER, text=f"{SECRET} used it")
        )
        other.messages = [*other.messages, {"role": "user", "content": f"{SECRET} used it"}]
        session.add(Vote(answer_id=other.id, person_id=EVE, value=VoteValue.DOWN, comment=SECRET))
        body = {"event": {"user": EVE, "text": SECRET}}
        inbox.keep(session, [Arrival("Ev-eve", "event", body)], None)
    one_night()


def test_nothing_is_left_of_a_forgotten_person_and_nothing_comes_back(store: Store, one_night: RunNight) -> None:
    one_night_with_eve(store, one_night)
    with store.reading() as session:
        path = Path(session.exec(select(Dataset)).one().path)
    assert SECRET in str(pq.read_table(path).to_pylist())
    rows = pq.read_table(path).num_rows

    with store.writing() as session:
        gone = erasure.forget(session, EVE)
    assert (gone.tickets, gone.votes, gone.events, gone.versions) == (6, 1, 1, ["v1"])
    assert purge_datasets(store) == 1

    with store.reading() as session:
        left = everything(session)
        dataset = session.exec(select(Dataset)).one()
        assert session.get_one(InboxEvent, "Ev-eve").body == {}
        assert inbox.keep(session, [Arrival("Ev-eve", "event", {"event": {"user": EVE}})], None) == [None]
    assert SECRET not in left
    assert EVE not in left
    table = pq.read_table(path)
    assert SECRET not in str(table.to_pylist())
    assert table.num_rows < rows
    assert dataset.sha256 == artifacts.sha256_of(path)
    assert json.loads((path.parent / "manifest.json").read_text())["sha256"] == dataset.sha256
    assert dataset.manifest["erased_rows"] == rows - table.num_rows
    assert purge_datasets(store) == 0

    with store.writing() as session:
        again = erasure.forget(session, EVE)
    assert (again.tickets, again.messages, again.votes, again.events, again.versions) == (0, 0, 0, 0, [])


def test_the_next_night_learns_from_others_and_not_from_the_forgotten(store: Store, one_night: RunNight) -> None:
    one_night_with_eve(store, one_night)
    with store.writing() as session:
        erasure.forget(session, EVE)
    one_night()
    with store.reading() as session:
        first, second = session.exec(select(Dataset).order_by(Dataset.id)).all()
        assert not erasure.tainted(session, "v2")
        assert erasure.tainted(session, "v1")
        assert {ticket.asker_id for ticket in lineage.tickets_of(session, "v2")}.isdisjoint({EVE, erasure.FORGOTTEN})
    for dataset in (first, second):
        assert SECRET not in str(pq.read_table(dataset.path).to_pylist())


def test_a_version_that_saw_a_forgotten_person_is_not_promoted_unless_that_is_allowed(
    store: Store, settings: Settings, one_night: RunNight, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def load(self: Fleet, adapter: object) -> None: ...

    monkeypatch.setattr(Fleet, "load", load)
    one_night_with_eve(store, one_night)
    with store.writing() as session:
        erasure.forget(session, EVE)
    with pytest.raises(AdapterRejected, match="forgotten since"):
        asyncio.run(rollout.promote(store, Fleet(settings), "v1", "U0MEI000001"))
    allowed = settings.model_copy(update={"gate": GateSettings(promote_after_erasure=True)})
    asyncio.run(rollout.promote(store, Fleet(allowed), "v1", "U0MEI000001"))
    with store.reading() as session:
        assert adapters.production(session) == "v1"


def test_lineage_is_told_both_ways(store: Store, one_night: RunNight) -> None:
    add_distinct(store, 40)
    one_night()
    with store.reading() as session:
        taught = lineage.tickets_of(session, "v1")
        assert 0 < len(taught) < 40
        held_out = set(session.exec(select(Ticket.id))) - {ticket.id for ticket in taught}
        assert lineage.versions_of(session, [taught[0].id or 0]) == ["v1"]
        assert lineage.versions_of(session, [id_ for id_ in held_out if id_]) == []


def test_reviews_of_forgotten_reviewers_stay_without_their_names(store: Store) -> None:
    with store.writing() as session:
        answer = add_reviewed(session, "Is there a lift?", "Yes.")
        session.add(Review(answer_id=answer.id or 0, reviewer_id=EVE, verdict=Verdict.ACCEPTED))
        session.flush()
        reviewers = set(session.exec(select(Review.reviewer_id)))
        for reviewer in reviewers:
            erasure.forget(session, reviewer)
        left = set(session.exec(select(Review.reviewer_id)))
        assert len(left) == len(reviewers) == 2
        assert left.isdisjoint(reviewers)
        assert all(word.startswith(erasure.FORGOTTEN) for word in left)
        with pytest.raises(BadInput, match="Slack id"):
            erasure.forget(session, "")
