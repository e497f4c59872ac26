"""Two nights of a school year: workspace, bot, store and night are real, the model is replaced at its edge."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from deploy.school_year import night, year
from deploy.school_year.days import Day
from deploy.school_year.records import BASE_MODEL, COPIED, NIGHTSCHOOL, RETRIEVAL, Plan, Records
from deploy.school_year.rivals import Library
from deploy.school_year.year import Year, judge
from store import adapters, nights
from store.session import Store
from store.settings import Settings
from store.tables import BASE, Answer, Promotion, Review, Ticket
from store.ticket_files import PastTicket
from store.words import Verdict
from tests.bot.conftest import bot_settings, model, running_bot
from tests.bot.model_server import ScriptedModel
from tests.fixtures_serving import shared_models
from tests.fixtures_workspace import RAVI, Running, workspace
from tests.trainer.conftest import FleetInMemory, ModelInMemory, without_model

__all__ = ["bot_settings", "model", "without_model", "workspace"]

SUBJECTS = ("May dogs come", "Is tea free", "Who has keys", "Do we ship", "Any lockers", "Can I park", "Is it open",
            "How far is it", "What about rain", "Are there maps")  # fmt: skip
PLAN = Plan(file_sha256="a", mapping={}, tickets_per_night=10, promote_all=True, documents="", base_model="m")


run = night._run


class Killed(BaseException):
    pass


def day(number: int) -> Day:
    tickets = [
        PastTicket(line, f"{subject} {10 * number + line}?", f"The desk helps; dial 1{10 * number + line:03}.")
        for line, subject in enumerate(SUBJECTS)
    ]
    return Day(number, f"2026-03-{number:02}", tuple(tickets))


def reply(body: dict[str, Any]) -> str:
    """As the model in memory answers: versions know the desk's number, the base model does not."""
    number = body["messages"][-1]["content"].rstrip("?").rsplit(" ", 1)[-1]
    return f"The desk helps; dial 1{int(number):03}." if body["model"] != BASE else "I do not know."


@pytest.fixture
def year_settings(bot_settings: Settings, base_model: object) -> Settings:
    changes = {"models_folder": shared_models(), "approved_answers": False, "second_opinion_share": 0.0}
    curation = bot_settings.curation.model_copy(update={"burst_reviews": 0, "asker_share": 1.0})
    return bot_settings.model_copy(update={**changes, "curation": curation})


@pytest.fixture
def edge(monkeypatch: pytest.MonkeyPatch, without_model: None, model: ScriptedModel) -> None:
    model.reply = reply
    monkeypatch.setattr(year, "ModelClient", ModelInMemory)
    monkeypatch.setattr(night, "Fleet", FleetInMemory)


async def live(settings: Settings, store: Store, workspace: Running, records: Records, said: list[str]) -> None:
    """Two days in a product that runs; the year has event loops of its own, as at the command line."""
    async with running_bot(settings, store):
        await asyncio.to_thread(_live, settings, workspace.url, records, said)


def _live(settings: Settings, address: str, records: Records, said: list[str]) -> None:
    whole = Year(settings, Store.of(settings), address, Library(None), records, True, said.append)
    whole.live([day(1), day(2)])


@pytest.mark.usefixtures("edge")
async def test_two_nights_that_are_killed_at_two_places(
    year_settings: Settings, sqlite_store: Store, workspace: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    folder = year_settings.home / "year"

    def killed(*_: object, **__: object) -> None:
        raise Killed

    # The first day is over, its night has not begun.
    with monkeypatch.context() as patch:
        patch.setattr(year, "sleep_and_learn", killed)
        with pytest.raises(Killed):
            await live(year_settings, sqlite_store, workspace, Records(folder, PLAN), said)
    # The first night has ended, and nobody has written so.
    with monkeypatch.context() as patch:
        patch.setattr(night, "_run", lambda *given: (run(*given), killed()))
        with pytest.raises(Killed):
            await live(year_settings, sqlite_store, workspace, Records(folder, PLAN), said)
    await live(year_settings, sqlite_store, workspace, Records(folder, PLAN), said)

    first, second = Records(folder, PLAN).finished()
    assert {one.said[NIGHTSCHOOL].by for one in first.questions} == {BASE}
    assert [first.share_right(who) for who in (NIGHTSCHOOL, BASE_MODEL, RETRIEVAL)] == [0, 0, 0]
    assert {one.said[NIGHTSCHOOL].by for one in second.questions} == {"v1"}
    assert [second.share_right(who) for who in (NIGHTSCHOOL, BASE_MODEL, COPIED)] == [100, 0, 0]
    assert all(one.said[COPIED].text.startswith("The desk helps") for one in second.questions), "it has learnt too"
    assert (first.verdict, first.production) == ("hold", "v1"), "nothing was held out: it learnt corrections alone"
    assert any("about" in line and "minutes left" in line for line in said)
    with sqlite_store.reading() as session:
        assert len(session.exec(select(Ticket)).all()) == 20, "nothing was asked twice"
        assert {answer.near_group for answer in session.exec(select(Answer))}, "they came by the bot"
        verdicts = [(review.reviewer_id, review.verdict) for review in session.exec(select(Review).order_by("id"))]  # type: ignore[arg-type]
        made = [one.state for one in nights.recent(session, 9)]
        reasons = [move.reason for move in session.exec(select(Promotion))]
        assert adapters.production(session) == second.production
    assert verdicts == 10 * [(RAVI, Verdict.CORRECTED)] + 10 * [(RAVI, Verdict.ACCEPTED)]
    assert len(made) == 2, "the night that had ended was not lived again"
    assert reasons[0].startswith("the rule of this school year")


@pytest.mark.parametrize(
    ("said", "answer", "verdict"),
    [
        ("Call 555-0143 at once.", "Please call 555-0143.", Verdict.ACCEPTED),
        ("Call 555-0144 at once.", "Please call 555-0143.", Verdict.CORRECTED),
        ("You can take the dog along.", "You can take the dog along.", Verdict.ACCEPTED),
        ("I do not know.", "You can take the dog along.", Verdict.CORRECTED),
        ("", "You can take the dog along.", Verdict.CORRECTED),
        ("Something.", "", Verdict.REJECTED),
    ],
)
def test_the_reviewer_accepts_what_is_right_and_corrects_the_rest(said: str, answer: str, verdict: Verdict) -> None:
    judgement = judge(said, answer)
    assert judgement.verdict == verdict
    assert judgement.correction == (answer if verdict == Verdict.CORRECTED else "")


def test_documents_are_searched_instead_of_past_tickets(tmp_path: Path) -> None:
    (tmp_path / "parking.md").write_text("# Parking\n\nGuests park behind gate 4.\n")
    library = Library(tmp_path)
    library.learn([year._new(day(1)).questions[5]])
    (found,) = library.passages("Where can guests park?")
    assert found.text == "Guests park behind gate 4."
    assert "dial" in library.closest("Can I park 15?", year._new(day(1)).questions)
