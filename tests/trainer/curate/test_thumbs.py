"""Answers with votes alone: which of them teach, how much each weighs, and what a night makes of them."""

import hashlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from sqlmodel import Session, select

from serving.base_model import BaseModel
from store import erasure, lineage
from store.night_history import history
from store.session import Store
from store.settings import Settings
from store.tables import Answer, Dataset, DatasetRow, now
from store.words import NightState, TicketStatus, Verdict, Visibility, VoteValue
from tests.trainer.tickets import add_distinct, add_reviewed, add_unreviewed, cast
from trainer.curate.lesson import Lesson, Reason, Tally
from trainer.curate.purge import purge_datasets
from trainer.curate.stage import collect
from trainer.night import run_night
from trainer.preview import preview

ANA, BEN, CARA, STRANGER = "U0ANA000001", "U0BEN000001", "U0CARA00001", "U0NEW000001"
UP, DOWN = VoteValue.UP, VoteValue.DOWN


@pytest.fixture
def school(night_settings: Settings, store: Store) -> Settings:
    """Settings by which a single thumb teaches and nothing is held out; two voters have earned trust: 0.8 and 0.75."""
    with store.writing() as session:
        earn_trust(session, BEN, 3)
        earn_trust(session, CARA, 2)
    add_distinct(store, 12)
    training = night_settings.training.model_copy(update={"preference": "off", "thumbs": "auto", "min_thumbs": 1})
    night = night_settings.night.model_copy(update={"held_out_share": 0.0})
    return night_settings.model_copy(update={"training": training, "night": night})


def earn_trust(session: Session, person: str, times: int) -> None:
    """Somebody votes on so many good and so many bad answers as a reviewer then decides."""
    for number in range(times):
        for value, verdict in ((UP, Verdict.ACCEPTED), (DOWN, Verdict.REJECTED)):
            about, at = unlike(f"{person} {value} {number}"), now() + timedelta(hours=number + 1)
            row = add_reviewed(session, f"Who mends {about}?", "The desk.", verdict=verdict, reviewed_at=at)
            cast(session, row, person, value)


def unlike(text: str) -> str:
    """Letters that are near to no other question's."""
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def thumb(session: Session, about: str, *votes: tuple[str, VoteValue], answer: str = "Yes.", **known: Any) -> Answer:
    row = add_unreviewed(session, f"May {unlike(about)} come?", answer, **known)
    for person, value in votes:
        cast(session, row, person, value)
    return row


def learn(settings: Settings, store: Store, base: BaseModel) -> tuple[dict[int, Lesson], Tally]:
    """The answers that votes alone speak of and that teach, by their number."""
    lessons, _, tally = collect(settings, store, base)
    return {lesson.answer_id: lesson for lesson in lessons if lesson.votes}, tally


def test_a_thumb_weighs_as_much_as_its_voters_are_trusted(
    store: Store, school: Settings, base_model: BaseModel
) -> None:
    with store.writing() as session:
        one = thumb(session, "one", (BEN, UP)).id
        both = thumb(session, "both", (BEN, DOWN), (CARA, DOWN)).id
        torn = thumb(session, "torn", (BEN, UP), (CARA, DOWN)).id
        shouted = thumb(session, "shouted", (BEN, UP), *((f"{STRANGER}{n}", DOWN) for n in range(9))).id
        thumb(session, "unknown", (STRANGER, UP))
        earn_trust(session, "U0DAN000001", 3)
        thumb(session, "tied", (BEN, UP), ("U0DAN000001", DOWN))
    found, tally = learn(school, store, base_model)
    # 2p - 1 of p = 0.8; of two who agree, odds 4 and 3 make 12; of two who do not, 4/3.
    weights = {one: 0.6, both: -11 / 13, torn: 1 / 7, shouted: 0.6}
    assert {number: lesson.thumb for number, lesson in found.items()} == pytest.approx(weights, abs=1e-4)
    assert tally.thumbs == {Reason.UNTRUSTED: 1, Reason.TIED: 1}
    everybody = school.model_copy(update={"training": school.training.model_copy(update={"thumb_trust": 0.5})})
    assert learn(everybody, store, base_model)[0].keys() == found.keys()
    stricter = school.model_copy(update={"training": school.training.model_copy(update={"thumb_trust": 0.78})})
    found, _ = learn(stricter, store, base_model)
    assert found[torn or 0].thumb == 0.6
    assert both in found


def test_off_by_default(store: Store, school: Settings, night_settings: Settings, base_model: BaseModel) -> None:
    with store.writing() as session:
        thumb(session, "one", (BEN, UP))
    assert night_settings.training.thumbs == "off"
    found, tally = learn(night_settings, store, base_model)
    assert found == tally.thumbs == {}


@pytest.mark.parametrize(("known", "reason"), [
    ({"place": {"visibility": Visibility.DIRECT}}, "from a direct message"),
    ({"place": {"visibility": Visibility.PRIVATE}}, "from a private channel"),
    ({"place": {"trainable": False}}, "marked as not to be learnt"),
    ({"place": {"status": TicketStatus.WITHDRAWN}}, "withdrawn"),
    ({"asker": "U0OUT000001"}, "from someone who opted out"),
    ({"answer": "Write to ana@example.com."}, "with personal data that no reviewer has approved"),
    ({"answer": " "}, "empty"),
    ({"answer": "Yes. " * 2000}, "too long"),
])  # fmt: skip
def test_thumbs_pass_what_reviewed_answers_pass(
    store: Store, school: Settings, base_model: BaseModel, known: dict[str, Any], reason: str
) -> None:
    with store.writing() as session:
        thumb(session, "one", (BEN, UP), **known)
    night = school.night.model_copy(update={"opted_out": ["U0OUT000001"]})
    found, tally = learn(school.model_copy(update={"night": night}), store, base_model)
    assert found == {}
    assert {key.value: count for key, count in tally.thumbs.items()} == {reason: 1}


def test_the_votes_of_who_opted_out_do_not_count(store: Store, school: Settings, base_model: BaseModel) -> None:
    with store.writing() as session:
        row = thumb(session, "one", (BEN, UP), (CARA, DOWN))
    night = school.night.model_copy(update={"opted_out": [BEN]})
    found, _ = learn(school.model_copy(update={"night": night}), store, base_model)
    assert found[row.id or 0].thumb == -0.5


def test_personal_data_in_a_question_is_masked(store: Store, school: Settings, base_model: BaseModel) -> None:
    with store.writing() as session:
        row = add_unreviewed(session, "I am ana@example.com, may I come?", "Yes.")
        cast(session, row, BEN, UP)
    found, _ = learn(school, store, base_model)
    assert found[row.id or 0].question == "I am [email], may I come?"


def test_where_reviewers_decided_on_the_question_their_word_alone_counts(
    store: Store, school: Settings, base_model: BaseModel
) -> None:
    with store.writing() as session:
        add_reviewed(session, f"May {unlike('dogs')} come along?", "No.", correction="Yes, on a lead.")
        row = add_unreviewed(session, f"May {unlike('dogs')} come along ?", "No.")
        cast(session, row, BEN, UP)
    found, tally = learn(school, store, base_model)
    assert found == {}
    assert tally.thumbs == {Reason.DECIDED: 1}


def test_the_same_answer_to_the_same_question_is_one_lesson_of_all_its_votes(
    store: Store, school: Settings, base_model: BaseModel
) -> None:
    with store.writing() as session:
        first = thumb(session, "dogs", (BEN, DOWN), (CARA, UP))
        thumb(session, "dogs", (CARA, DOWN))
        # Who asks again and again, and votes each time, has still said it once.
        thumb(session, "dogs", (BEN, DOWN))
        other = thumb(session, "dogs", (CARA, UP), answer="Yes, on a lead.")
    found, tally = learn(school, store, base_model)
    weights = {first.id: -11 / 13, other.id: 0.5}
    assert {number: lesson.thumb for number, lesson in found.items()} == pytest.approx(weights, abs=1e-4)
    assert tally.thumbs == {Reason.DUPLICATE: 2}


def test_what_is_held_out_is_not_taught_by_votes_and_stays_so(
    store: Store, school: Settings, base_model: BaseModel
) -> None:
    with store.writing() as session:
        rows = [thumb(session, f"thing {number}", (BEN, UP)) for number in range(30)]
    night = school.night.model_copy(update={"held_out_share": 0.3})
    settings = school.model_copy(update={"night": night})
    lessons, plan, tally = collect(settings, store, base_model)
    taught = {lesson.ticket_id for lesson in lessons if lesson.votes}
    held_out = {row.ticket_id for row in rows} - taught
    assert len(held_out) == tally.thumbs[Reason.HELD_OUT] > 3
    assert {plan.split_of(ticket).value for ticket in held_out} == {"held_out"}
    # What is decided tonight is kept, so that no later review turns a taught question into one to measure on.
    assert {row.ticket_id for row in rows} <= set(plan.new_groups)


def test_nobody_s_thumbs_teach_more_than_their_share(store: Store, school: Settings, base_model: BaseModel) -> None:
    with store.writing() as session:
        for number in range(6):
            earn_trust(session, f"U0VOTER{number}", 2)
        for number in range(60):
            thumb(session, f"his {number}", (BEN, UP), *([(CARA, UP)] if number % 2 else []))
        for number in range(24):
            thumb(session, f"theirs {number}", (f"U0VOTER{number % 6}", UP))
    curation = school.curation.model_copy(update={"voter_share": 0.3, "share_from": 5, "new_accounts": 0})
    capped = school.model_copy(update={"curation": curation})
    found, tally = learn(capped, store, base_model)
    # His vote weighs most also where somebody joins him.
    assert len(found) - 24 <= 0.3 * len(found)
    assert tally.thumbs == {Reason.VOTER_SHARE: 84 - len(found)}
    (alert,) = [alert for alert in tally.alerts if "voted" in alert.text]
    assert alert.people == (BEN,)
    assert "60 of the 84" in alert.text
    without = curation.model_copy(update={"voter_share": 1.0})
    assert len(learn(school.model_copy(update={"curation": without}), store, base_model)[0]) == 84


def test_too_few_are_not_learnt_from(store: Store, school: Settings, base_model: BaseModel) -> None:
    with store.writing() as session:
        for number in range(3):
            thumb(session, f"thing {number}", (BEN, UP))
    training = school.training.model_copy(update={"min_thumbs": 4})
    found, tally = learn(school.model_copy(update={"training": training}), store, base_model)
    assert found == {}
    assert tally.thumbs == {Reason.TOO_FEW: 3}


def test_a_night_says_so_and_its_dataset_and_lineage_know(
    store: Store, school: Settings, without_model: None, capsys: pytest.CaptureFixture[str]
) -> None:
    with store.writing() as session:
        good, bad = thumb(session, "one", (BEN, UP)), thumb(session, "two", (CARA, DOWN), asker="U0EVE000001")
        thumb(session, "three", (STRANGER, UP))
    words = "SFT, then KTO on 2 answers with trusted thumbs alone (1 👍, 1 👎)"
    said = "\n".join(preview(school, store, lambda _: None).lines())
    assert words in said
    assert f"Answers with votes alone left out: 1 {Reason.UNTRUSTED}." in said
    night = run_night(school, store, requested_by="test", say=print)
    assert night.state is NightState.DONE
    assert f"curate: {words}" in capsys.readouterr().out
    with store.reading() as session:
        dataset = session.exec(select(Dataset)).one()
        assert dataset.manifest["methods"]["thumbs"] == 2
        assert dataset.manifest["dropped_thumbs"] == {Reason.UNTRUSTED.value: 1}
        assert any(words in str(row) for table in history(session, night) for row in table.rows)
        rows = session.exec(select(DatasetRow).where(DatasetRow.answer_id == good.id)).all()
        assert [row.review_id for row in rows] == [None]
        assert bad.ticket_id in {ticket.id for ticket in lineage.tickets_of(session, "v1")}
    found = {row["answer_id"]: row for row in pq.read_table(Path(dataset.path)).to_pylist()}
    assert (found[good.id]["split"], found[good.id]["thumb"], found[bad.id]["thumb"]) == ("thumb", 0.6, -0.5)
    assert found[good.id]["weight"] == 0
    with store.writing() as session:
        assert erasure.forget(session, "U0EVE000001").versions == ["v1"]
    assert purge_datasets(store) == 1
    left = {row["answer_id"] for row in pq.read_table(Path(dataset.path)).to_pylist()}
    assert left == set(found) - {bad.id}
