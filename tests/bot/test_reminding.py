"""Whether an answer helped is asked once, later, and only where nobody has said so."""

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session

from bot.blocks.answer import SOLVE_ACTION
from bot.blocks.feedback import VOTE_ACTION
from bot.reminding import Reminders
from deploy.workspace.server import Running
from store import reminders
from store.reminders import Window
from store.session import Store
from store.settings import Settings
from store.tables import Answer, OutboxMessage, Ticket, Vote, now
from store.words import DeliveryState, OutboxState, Surface, TicketStatus, Visibility, VoteValue
from tests.bot.conftest import RunningBot, running_bot
from tests.bot.test_asking import answer_to, recorded, rows
from tests.bot.test_helping import asked, forge
from tests.bot.test_inbox import until
from tests.fixtures_workspace import SUPPORT, Person

Json = dict[str, Any]


def in_hours(hours: float) -> Any:
    return lambda: now() + timedelta(hours=hours)


async def test_the_asker_is_asked_once_and_answers_by_a_thumb(bot: RunningBot, ana: Person) -> None:
    message = await asked(bot, ana)
    assert await Reminders(bot.services).once() == 0
    assert await Reminders(bot.services, in_hours(3.9)).once() == 0
    assert await Reminders(bot.services, in_hours(4.1)).once() == 1
    assert await Reminders(bot.services, in_hours(4.2)).once() == 0
    reminder = await ana.wait_for_message(lambda line: "Did my answer help" in str(line.get("blocks")))
    assert reminder["channel"] == ana.dm
    assert message["thread_ts"].replace(".", "") in str(reminder["blocks"])
    assert (await ana.click(reminder, VOTE_ACTION, "up:1"))["ok"]
    await until(lambda: [vote.value for vote in rows(bot, Vote)] == [VoteValue.UP])
    assert rows(bot, Ticket)[0].reminded_at is not None


async def test_a_reminder_s_thumb_is_the_asker_s_alone(
    bot: RunningBot, ana: Person, tom: Person, workspace: Running
) -> None:
    await asked(bot, ana)
    tom.forget()
    await asked(bot, tom)
    await Reminders(bot.services, in_hours(5)).once()
    reminder = await tom.wait_for_message(lambda line: "Did my answer help" in str(line.get("blocks")))
    forge(workspace, reminder, "up:1")
    await tom.click(reminder, VOTE_ACTION, "up:1")
    await tom.wait_for_message(lambda line: "belongs to another answer" in line.get("text", ""))
    assert rows(bot, Vote) == []


@pytest.mark.parametrize("action", [VOTE_ACTION, SOLVE_ACTION])
async def test_who_has_said_something_is_not_asked(bot: RunningBot, ana: Person, action: str) -> None:
    message = await asked(bot, ana)
    await ana.click(message, action, *(["up:1"] if action == VOTE_ACTION else []))
    await until(lambda: rows(bot, Vote) or rows(bot, Ticket)[0].resolved_by)
    assert await Reminders(bot.services, in_hours(5)).once() == 0


async def test_what_was_solved_before_the_reminder_went_out_is_left_alone(bot: RunningBot, ana: Person) -> None:
    await asked(bot, ana)
    with bot.store.writing() as session:
        owe(session)
        session.get_one(Ticket, 1).status = TicketStatus.RESOLVED
    bot.services.outbox_wake.set()
    await until(lambda: [row.state for row in rows(bot, OutboxMessage)] == [OutboxState.SENT])
    assert not await ana.messages(ana.dm)


def owe(session: Session) -> int:
    return reminders.owe_due(session, Window(now() - timedelta(days=1), now()), now(), 10)


async def test_reminders_can_be_switched_off(bot_settings: Settings, sqlite_store: Store, ana: Person) -> None:
    async with running_bot(bot_settings.model_copy(update={"remind_after_h": 0.0}), sqlite_store) as bot:
        await answer_to(ana, await ana.post(SUPPORT, "@nightschool how?"))
        await recorded(bot)
        assert await Reminders(bot.services, in_hours(5)).once() == 0


def test_only_answers_of_the_window_are_asked_about_each_ticket_once(store: Store) -> None:
    moment = now()
    with store.writing() as session:
        for number, hours in enumerate((1, 5, 100)):
            ticket = Ticket(
                team_id="T", channel_id="C", thread_ts=str(number), asker_id="U1", surface=Surface.MENTION,
                visibility=Visibility.PUBLIC, status=TicketStatus.ANSWERED, question="?",
                updated_at=moment - timedelta(hours=hours),
            )  # fmt: skip
            session.add(ticket)
            session.flush()
            for turn in range(2):
                session.add(
                    Answer(
                        ticket_id=ticket.id or 0, event_id=f"{number}/{turn}", question_ts=str(turn),
                        state=DeliveryState.DELIVERED, text="!",
                    )
                )  # fmt: skip
    window = Window(moment - timedelta(hours=52), moment - timedelta(hours=4))
    with store.writing() as session:
        assert reminders.owe_due(session, window, moment, 10) == 1
    with store.writing() as session:
        assert reminders.owe_due(session, window, moment, 10) == 0
    with store.reading() as session:
        owed = session.get_one(OutboxMessage, 1)
        assert (owed.key, owed.payload) == ("reminder-2", {"answer_id": 4})
