import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from datasets import load_dataset
from sqlmodel import Session, select

from store import people
from store.errors import BadInput
from store.export_tickets import export_tickets
from store.import_tickets import import_tickets
from store.session import Store
from store.settings import NightSettings, Settings
from store.tables import Answer, Message, Review, Ticket, now
from store.words import Role, TicketStatus, Verdict, Visibility


@pytest.fixture
def three_tickets(store: Store, settings: Settings, tmp_path: Path) -> Path:
    path = tmp_path / "past.jsonl"
    rows = [{"question": f"Question {n}?", "answer": f"Answer {n}. Grüße <|im_end|>", "topic": "t"} for n in range(3)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    import_tickets(store, settings, path)
    return tmp_path / "lessons.jsonl"


def add_review(session: Session, text_start: str, verdict: Verdict, correction: str = "", by: str = "U9") -> None:
    answer = session.exec(select(Answer).where(Answer.text.startswith(text_start))).one()  # type: ignore[attr-defined]
    later = now() + timedelta(minutes=1)
    session.add(Review(answer_id=answer.id, reviewer_id=by, verdict=verdict, correction=correction, updated_at=later))


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_export_loads_as_chat_data(store: Store, settings: Settings, three_tickets: Path, tmp_path: Path) -> None:
    assert export_tickets(store, settings, three_tickets) == 3
    rows = load_dataset("json", data_files=str(three_tickets), split="train", cache_dir=str(tmp_path / "cache"))
    assert rows.num_rows == 3
    for number, row in enumerate(rows):
        assert [message["role"] for message in row["messages"]] == ["system", "user", "assistant"]
        assert row["messages"][1]["content"] == f"Question {number}?"
        assert row["messages"][2]["content"].startswith(f"Answer {number}. Grüße")
        assert "<|im_end|>" not in row["messages"][2]["content"]
        assert (row["metadata"]["verdict"], row["metadata"]["topic"]) == ("accepted", "t")


def test_reviewers_overrule_the_import_and_their_majority_decides(
    store: Store, settings: Settings, three_tickets: Path
) -> None:
    with store.writing() as session:
        add_review(session, "Answer 0", Verdict.REJECTED)
        add_review(session, "Answer 1", Verdict.CORRECTED, "Put right.")
    assert export_tickets(store, settings, three_tickets) == 2, "a reviewer rejected one of the three"
    with store.writing() as session:
        add_review(session, "Answer 1", Verdict.REJECTED, by="U8")
    assert export_tickets(store, settings, three_tickets) == 1, "what is contested is not written"
    with store.writing() as session:
        add_review(session, "Answer 1", Verdict.CORRECTED, "Put right too.", by="U7")
    assert export_tickets(store, settings, three_tickets) == 2
    written = [(row["messages"][-1]["content"], row["metadata"]["verdict"]) for row in read(three_tickets)]
    assert written[0] == ("Put right.", "corrected")
    assert written[1][1] == "accepted"


def test_what_may_not_be_learnt_is_not_written(store: Store, settings: Settings, three_tickets: Path) -> None:
    with store.writing() as session:
        first, second, third = session.exec(select(Ticket).order_by(Ticket.question)).all()
        first.trainable = False
        second.visibility = Visibility.PRIVATE
        third.visibility = Visibility.DIRECT
    assert export_tickets(store, settings, three_tickets) == 0
    both = settings.model_copy(update={"night": NightSettings(learn_private_channels=True, learn_direct_messages=True)})
    assert export_tickets(store, both, three_tickets) == 2
    with store.writing() as session:
        session.get_one(Ticket, second.id).status = TicketStatus.WITHDRAWN
        session.add(Message(ticket_id=third.id, ts="9", person_id="U_OUT", role=Role.HELPER, text="I wrote here too."))
    both.night.opted_out.append("U_OUT")
    assert export_tickets(store, both, three_tickets) == 0
    both.night.opted_out.clear()
    assert export_tickets(store, both, three_tickets) == 1
    with store.writing() as session:
        people.set_learning(session, "T1", "U_OUT", opted_out=True)
    assert export_tickets(store, both, three_tickets) == 0


def test_the_same_store_gives_the_same_bytes(store: Store, settings: Settings, three_tickets: Path) -> None:
    export_tickets(store, settings, three_tickets)
    first = three_tickets.read_bytes()
    export_tickets(store, settings, three_tickets)
    assert three_tickets.read_bytes() == first
    assert list(three_tickets.parent.glob(".lessons*")) == []


def test_an_export_comes_back_as_the_same_tickets(
    store: Store, settings: Settings, three_tickets: Path, tmp_path: Path
) -> None:
    export_tickets(store, settings, three_tickets)
    again = tmp_path / "again.jsonl"
    rows = [
        {"question": row["messages"][1]["content"], "answer": row["messages"][2]["content"]}
        for row in read(three_tickets)
    ]
    again.write_text("".join(json.dumps(row | {"topic": "again"}) + "\n" for row in rows))
    report = import_tickets(store, settings, again)
    # The answers' control tokens were broken up on the way out, so these are new texts; a second turn is not.
    assert (report.added, report.already_there) == (3, 0)
    assert import_tickets(store, settings, again).already_there == 3


def test_a_place_that_cannot_be_written_is_said(sqlite_store: Store, settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="is a folder"):
        export_tickets(sqlite_store, settings, tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(BadInput, match="cannot be written"):
        export_tickets(sqlite_store, settings, tmp_path / "file" / "out.jsonl")
