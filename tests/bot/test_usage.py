"""Usage, its charts, and the weekly digest."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from bot import digest
from bot.charts import draw_usage
from store import digests, usage
from store.errors import BadInput
from store.session import Store
from store.settings import DigestSettings, NightSettings, Settings
from store.tables import Answer, Message, Night, OutboxMessage, Promotion, Ticket, Vote
from store.usage import Figures, Span
from store.words import (
    Arm,
    DeliveryState,
    NightState,
    OutboxState,
    PromotionKind,
    Role,
    Surface,
    TicketStatus,
    Visibility,
    VoteValue,
)
from tests.bot.conftest import RunningBot
from tests.bot.test_asking import rows
from tests.bot.test_inbox import until
from tests.fixtures_workspace import ADMINS, Person

MONDAY = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def asked(
    store: Store, at: datetime, question: str = "How?", *, ticket: dict[str, Any] | None = None, **answer: Any
) -> None:
    """A question and its answer at a moment; `vote` and `helper` are what followed."""
    vote, helper = answer.pop("vote", None), answer.pop("helper", False)
    with store.writing() as session:
        opened = Ticket(
            **{
                "team_id": "T", "channel_id": "C", "thread_ts": f"{at}{question}", "asker_id": "U1",
                "surface": Surface.MENTION, "visibility": Visibility.PUBLIC, "question": question, "created_at": at,
                **(ticket or {}),
            }
        )  # fmt: skip
        session.add(opened)
        session.flush()
        fields = {
            "ticket_id": opened.id, "event_id": f"{at}{question}", "question_ts": "1", "created_at": at,
            "state": DeliveryState.DELIVERED, "prompt_tokens": 100, "completion_tokens": 20, **answer,
        }  # fmt: skip
        given = Answer(**fields)
        session.add(given)
        session.flush()
        if vote:
            session.add(Vote(answer_id=given.id or 0, person_id="U1", value=vote, created_at=at, updated_at=at))
        if helper:
            session.add(Message(ticket_id=opened.id or 0, ts="2", person_id="U2", role=Role.HELPER, text="So."))


def a_week(store: Store) -> None:
    at = MONDAY - timedelta(days=2)
    asked(store, at, "one", first_token_ms=100.0, vote=VoteValue.UP)
    asked(store, at, "two", first_token_ms=300.0, vote=VoteValue.DOWN)
    asked(store, at, "three", first_token_ms=900.0, helper=True)
    asked(store, at, "four", ticket={"status": TicketStatus.ESCALATED})
    asked(store, at, "five", state=DeliveryState.FAILED)
    asked(store, at, "withdrawn", state=DeliveryState.WITHDRAWN)
    asked(store, at, "superseded", state=DeliveryState.SUPERSEDED)
    asked(store, at, "trial", arm=Arm.TRIAL, vote=VoteValue.DOWN)
    asked(store, at, "import", arm=Arm.HUMAN, ticket={"surface": Surface.IMPORT})
    asked(store, at - timedelta(days=7), "before", first_token_ms=50.0, vote=VoteValue.UP)


def test_a_week_in_figures(store: Store) -> None:
    a_week(store)
    span = Span.last(7, MONDAY)
    with store.reading() as session:
        now, before = usage.figures(session, span), usage.figures(session, span.before)
        nothing = usage.figures(session, Span.last(1, MONDAY - timedelta(days=100)))
    assert now == Figures(
        asked=5, answered=4, tokens=840, tickets=4, unaided=1, up=1, down=1, first_text_ms=300.0
    )  # fmt: skip
    assert (now.satisfaction, now.unaided_share) == (0.5, 0.25)
    assert before == Figures(1, 1, 120, 1, 1, 1, 0, 50.0)
    assert nothing == Figures()
    assert (nothing.satisfaction, nothing.unaided_share) == (None, None)


def test_days_follow_each_other_without_gaps_and_make_a_picture(store: Store) -> None:
    a_week(store)
    with store.reading() as session:
        days = usage.by_day(session, Span.last(30, MONDAY))
    assert list(days) == [date(2026, 10, 24) + timedelta(days=number) for number in range(31)]
    assert [(day, figures.asked) for day, figures in days.items() if figures.asked] == [
        (date(2026, 11, 14), 1), (date(2026, 11, 21), 5),
    ]  # fmt: skip
    assert days[date(2026, 11, 21)].first_text_ms == 300.0
    for picture in (draw_usage(days), draw_usage({date(2026, 11, 1): Figures()})):
        assert picture.startswith(b"\x89PNG")


def test_a_median_of_an_even_number_is_the_mean_of_the_middle_two(store: Store) -> None:
    for number, value in enumerate((100.0, 200.0, 400.0, 9000.0)):
        asked(store, MONDAY - timedelta(hours=1), str(number), first_token_ms=value)
    with store.reading() as session:
        assert usage.figures(session, Span.last(1, MONDAY)).first_text_ms == 300.0


def test_the_digest_names_what_went_badly_in_public_channels_alone(store: Store) -> None:
    a_week(store)
    at = MONDAY - timedelta(days=1)
    for number in range(3):
        asked(
            store, at + timedelta(minutes=number), "How do I reset my VPN password?" + " " * number, vote=VoteValue.DOWN
        )
    for visibility in (Visibility.PRIVATE, Visibility.DIRECT):
        asked(store, at, visibility, vote=VoteValue.DOWN, ticket={"visibility": visibility})
    with store.reading() as session:
        week = digests.gather(session, Span.last(7, MONDAY))
    assert [(trouble.question.strip(), trouble.times) for trouble in week.troubles] == [
        ("How do I reset my VPN password?", 3), ("five", 1), ("four", 1), ("two", 1),
    ]  # fmt: skip
    assert not week.is_empty


@pytest.mark.parametrize(
    ("at", "key"),
    [
        ("2026-11-23T07:59+00:00", None),
        ("2026-11-23T08:00+00:00", "digest-2026-W48"),
        ("2026-11-25T07:59+00:00", "digest-2026-W48"),
        ("2026-11-25T08:01+00:00", None),
        ("2027-01-04T09:00+00:00", "digest-2027-W01"),
    ],
)
def test_a_digest_is_due_on_its_day_and_two_days_after(at: str, key: str | None) -> None:
    found = digest.due(Settings(), datetime.fromisoformat(at))
    assert (found.key if found else None) == key


def test_a_digest_is_due_in_the_zone_of_the_night_and_tells_of_seven_whole_days() -> None:
    settings = Settings(
        night=NightSettings(timezone="Europe/Berlin"), digest=DigestSettings(weekday="monday", at="08:00")
    )
    # The clocks went back on 25 October 2026: the seven days have 169 hours.
    assert digest.due(settings, datetime(2026, 10, 26, 6, 59, tzinfo=UTC)) is None
    found = digest.due(settings, datetime(2026, 10, 26, 7, 0, tzinfo=UTC))
    assert found is not None
    assert found.span.until.astimezone(UTC) - found.span.since.astimezone(UTC) == timedelta(hours=169)
    with pytest.raises(BadInput):
        digest.due(Settings(digest=DigestSettings(at="late")), MONDAY)


async def test_the_digest_comes_once_with_its_chart(bot: RunningBot, mei: Person, monkeypatch: Any) -> None:
    monkeypatch.setattr(digest, "LOOK_EVERY_S", 0.02)
    a_week(bot.store)
    with bot.store.writing() as session:
        at = MONDAY - timedelta(days=1)
        session.add(Night(key="2026-11-22", state=NightState.DONE, created_at=at))
        session.add(
            Promotion(kind=PromotionKind.PROMOTE, adapter="v3", previous="v2", person_id=mei.user_id, created_at=at)
        )
    loops = [asyncio.create_task(digest.keep_owing(bot.services, lambda: MONDAY)) for _ in range(2)]
    posted = await mei.wait_for_message(lambda message: "The week of 16 Nov" in str(message.get("blocks")))
    shown = str(posted["blocks"])
    assert posted["channel"] == ADMINS
    for words in (
        "5 (1)",
        "4 (1)",
        "25 % (100 %)",
        "50 % of 2 votes",
        "840 (120)",
        "• two",
        "*v3*",
        "1 made a version",
    ):
        assert words in shown
    await mei.wait_for_message(lambda message: message.get("files") and message.get("thread_ts") == posted["ts"])
    await until(lambda: {row.state for row in rows(bot, OutboxMessage)} == {OutboxState.SENT})
    assert [row.key for row in rows(bot, OutboxMessage)] == ["digest-2026-W48", "digest-2026-W48-chart"]
    for loop in loops:
        loop.cancel()


async def test_a_time_that_cannot_be_read_is_a_fault_at_the_start(bot: RunningBot) -> None:
    bot.services.settings.digest.at = "late"
    with pytest.raises(BadInput, match="NIGHTSCHOOL_DIGEST__AT"):
        await digest.keep_owing(bot.services)


async def test_no_digest_of_nothing_nor_where_it_is_switched_off(bot: RunningBot, monkeypatch: Any) -> None:
    monkeypatch.setattr(digest, "LOOK_EVERY_S", 0.01)
    silent = asyncio.create_task(digest.keep_owing(bot.services, lambda: MONDAY))
    await asyncio.sleep(0.2)
    assert rows(bot, OutboxMessage) == []
    a_week(bot.store)
    silent.cancel()
    bot.services.settings.digest.enabled = False
    off = asyncio.create_task(digest.keep_owing(bot.services, lambda: MONDAY))
    await asyncio.sleep(0.2)
    assert rows(bot, OutboxMessage) == []
    off.cancel()
