"""Who complained is told once that a version has fixed it."""

from typing import Any

from sqlmodel import select, update

from bot.blocks.feedback import VOTE_ACTION
from bot.blocks.fix import LOUD_ACTION, QUIET_ACTION
from bot.identities import Kind
from serving import rollout
from store import fixes, people, reviews
from store.reviews import Decision
from store.session import Store
from store.tables import Answer, OutboxMessage, Review, Vote
from store.tables import Person as Choice
from store.words import OutboxState, Verdict, VoteValue
from tests.bot.conftest import RunningBot
from tests.bot.model_server import ScriptedModel
from tests.bot.reviewing import add_answer
from tests.bot.test_approved import QUESTION, corrected, produce, train
from tests.bot.test_asking import rows
from tests.bot.test_feedback import answered
from tests.bot.test_inbox import until
from tests.fixtures_workspace import MEI, RAVI, Person

Json = dict[str, Any]


def owed(store: Store) -> list[str]:
    with store.reading() as session:
        return sorted(session.exec(select(OutboxMessage.key).where(OutboxMessage.kind == fixes.KIND)))


def test_only_complaints_that_were_learnt_from_are_owed_a_notice_and_once(store: Store) -> None:
    learnt = corrected(store, votes=[VoteValue.DOWN, VoteValue.UP, VoteValue.DOWN])
    corrected(store, "Where is the printer?", "Upstairs.", votes=[VoteValue.DOWN])
    add_answer(store, "Who pays?", votes=[VoteValue.DOWN])
    train(store, learnt)
    for _ in range(2):
        with store.writing() as session:
            fixes.owe_notices(session, "v1")
    assert owed(store) == ["fix-1-U0", "fix-1-U2"]


def test_nobody_is_told_what_does_not_hold_any_more(store: Store) -> None:
    train(store, corrected(store, votes=[VoteValue.DOWN]))

    def told() -> bool:
        with store.reading() as session:
            return fixes.to_tell(session, 1, "U0", "v1") is not None

    assert not told(), "v1 does not answer"
    produce(store, "v1")
    assert told()
    with store.writing() as session:
        people.set_fix_notices(session, "T", "U0", wanted=False)
    assert not told()
    with store.writing() as session:
        people.set_fix_notices(session, "T", "U0", wanted=True)
    assert told()
    with store.writing() as session:
        session.exec(update(Vote).values(value=VoteValue.UP))
    assert not told()
    with store.writing() as session:
        session.exec(update(Vote).values(value=VoteValue.DOWN))
        session.add(Review(answer_id=1, reviewer_id="R2", verdict=Verdict.REJECTED))
    assert not told()


def wants_notices(bot: RunningBot) -> list[bool]:
    with bot.store.reading() as session:
        return list(session.exec(select(Choice.fix_notices)))


def all_told(bot: RunningBot) -> bool:
    return any(row.kind == fixes.KIND and row.state == OutboxState.SENT for row in rows(bot, OutboxMessage))


async def complained(bot: RunningBot, person: Person) -> None:
    message = await answered(bot, person, f"@nightschool {QUESTION}")
    await person.click(message, VOTE_ACTION, f"down:{rows(bot, Answer)[-1].id}")
    await until(lambda: len(rows(bot, Vote)) == 1)
    with bot.store.writing() as session:
        review = reviews.decide(session, Decision(1, RAVI, Verdict.CORRECTED, "Call 4711."))
    train(bot.store, review)


async def test_who_complained_is_told_once_with_the_new_answer(
    bot: RunningBot, ana: Person, model: ScriptedModel
) -> None:
    await complained(bot, ana)
    model.reply = lambda body: f"{body['model']} says: call 4711 <!channel>"
    await rollout.promote(bot.store, bot.fleet, "v1", MEI)
    notice = await ana.wait_for_message(lambda shown: "has learnt from it" in shown.get("text", ""))
    assert notice["channel"] == ana.dm
    shown = str(notice["blocks"])
    assert QUESTION in shown
    assert "v1 says: call 4711" in shown
    assert "<!channel>" not in shown
    assert "Open the thread" in shown
    assert model.requests[-1]["model"] == "v1"
    await rollout.rollback(bot.store, bot.fleet, MEI)
    await rollout.promote(bot.store, bot.fleet, "v1", MEI)
    await until(lambda: all(row.state == OutboxState.SENT for row in rows(bot, OutboxMessage)))
    told = [line for line in await ana.messages(ana.dm) if "has learnt from it" in line["text"]]
    assert len(told) == 1
    for _ in range(2):
        await ana.click(notice, QUIET_ACTION)
    quiet = await ana.wait_for_message(lambda message: "won't hear of fixes" in message.get("text", ""))
    assert wants_notices(bot) == [False]
    await ana.click(quiet, LOUD_ACTION)
    await until(lambda: wants_notices(bot) == [True])


async def test_the_approved_answer_is_sent_where_the_model_does_not_answer(
    bot: RunningBot, ana: Person, model: ScriptedModel
) -> None:
    await complained(bot, ana)
    model.failures = [500, 500, 500]
    await rollout.promote(bot.store, bot.fleet, "v1", MEI)
    notice = await ana.wait_for_message(lambda shown: "has learnt from it" in shown.get("text", ""))
    assert "Call 4711." in str(notice["blocks"])
    assert "A colleague's answer" in str(notice["blocks"])


async def test_after_a_rollback_nobody_is_told(bot: RunningBot, ana: Person) -> None:
    await complained(bot, ana)
    with bot.store.writing() as session:
        fixes.owe_notices(session, "v1")
    await until(lambda: all_told(bot))
    assert all("has learnt" not in line["text"] for line in await ana.messages(ana.dm))


async def test_who_has_left_is_not_told(bot: RunningBot, ana: Person) -> None:
    await complained(bot, ana)
    bot.services.identities[ana.user_id] = (float("inf"), Kind.DEACTIVATED.value)
    await rollout.promote(bot.store, bot.fleet, "v1", MEI)
    await until(lambda: all_told(bot))
    assert all("has learnt" not in line["text"] for line in await ana.messages(ana.dm))
