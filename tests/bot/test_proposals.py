"""A person's own reply after a bad answer or a hand-over becomes a proposed correction."""

from typing import Any

import pytest
from sqlmodel import update

from bot.blocks.feedback import VOTE_ACTION
from store import proposals, tickets
from store.proposals import answers_something
from store.session import Store
from store.tables import Answer, Channel, Message, Proposal, Ticket
from store.tickets import Line
from store.words import DeliveryState, ProposalState, Role, TicketStatus, VoteValue
from tests.bot.conftest import RunningBot
from tests.bot.test_asking import rows
from tests.bot.test_feedback import answered
from tests.bot.test_inbox import until
from tests.bot.test_review import add_answer
from tests.fixtures_workspace import SUPPORT, Person

Json = dict[str, Any]


def say(store: Store, ts: str, person_id: str, text: str, role: Role = Role.HELPER) -> None:
    with store.writing() as session:
        tickets.add_line(session, 1, Line(ts, person_id, role, text))
        proposals.follow(session, 1)


def proposed(store: Store) -> list[tuple[str, str]]:
    with store.reading() as session:
        return [(row.person_id, row.text) for row in reversed(proposals.of_answer(session, 1))]


@pytest.mark.parametrize(
    "text", ["Thanks!", "thank you so much :pray:", "👍", "OK, great", "", "Hi all", "that worked, thanks", "Hi Mei!"]
)
def test_a_pleasantry_answers_nothing(text: str) -> None:
    assert not answers_something(text)


@pytest.mark.parametrize("text", ["Press F5.", "thanks, but it is the second floor", "14 Tage", "再起動してください"])
def test_what_says_more_may_be_an_answer(text: str) -> None:
    assert answers_something(text)


def test_lines_of_one_helper_are_joined_and_others_are_left_out(store: Store) -> None:
    add_answer(store, "1.1", votes=[VoteValue.DOWN])
    say(store, "1.2", "U1", "That is nonsense, it printed blank pages.", Role.ASKER)
    say(store, "1.3", "U2", "Press F5.")
    say(store, "1.4", "U2", "Then wait a minute.")
    say(store, "1.5", "U2", "thanks")
    say(store, "1.6", "U1", "And then what happens?", Role.ASKER)
    say(store, "1.7", "U2", "It prints.")
    say(store, "1.8", "U3", "Use the other printer.")
    say(store, "1.9", "", "A colleague corrected this.", Role.BOT)
    assert proposed(store) == [
        ("U2", "Press F5.\nThen wait a minute."), ("U2", "It prints."), ("U3", "Use the other printer."),
    ]  # fmt: skip


@pytest.mark.parametrize("change", ["good", "failed", "escalated", "unsure"])
def test_only_what_did_not_help_is_proposed_for(store: Store, change: str) -> None:
    add_answer(store, "1.1", votes=[VoteValue.UP], mean_logprob=-2.0)
    with store.writing() as session:
        if change == "failed":
            session.exec(update(Answer).values(state=DeliveryState.FAILED))
        if change == "escalated":
            session.exec(update(Ticket).values(status=TicketStatus.ESCALATED))
        if change == "unsure":
            session.add(Channel(team_id="T", channel_id="C", min_confidence=0.5))
    say(store, "1.2", "U2", "Press F5.")
    assert proposed(store) == ([] if change == "good" else [("U2", "Press F5.")])


def test_what_a_reviewer_has_used_stays(store: Store) -> None:
    add_answer(store, "1.1", votes=[VoteValue.DOWN])
    say(store, "1.2", "U2", "Press F5.")
    with store.writing() as session:
        session.exec(update(Proposal).values(state=ProposalState.USED))
        session.exec(update(Message).values(deleted=True))
        proposals.follow(session, 1)
    with store.reading() as session:
        assert session.get_one(Proposal, 1).text == "Press F5."
        assert proposals.of_answer(session, 1) == []


async def test_a_helper_s_reply_is_proposed_and_followed(
    bot: RunningBot, ana: Person, tom: Person, ravi: Person
) -> None:
    message = await answered(bot, ana)
    thread = message["thread_ts"]
    first = await tom.post(SUPPORT, "Press F5.", thread)
    await until(lambda: any(line.text == "Press F5." for line in rows(bot, Message)))
    assert rows(bot, Proposal) == [], "nobody has complained yet"
    await ana.click(message, VOTE_ACTION, "down:1")
    await until(lambda: len(rows(bot, Proposal)) == 1)
    second = await tom.post(SUPPORT, "And wait.", thread)
    await ravi.post(SUPPORT, "thanks Tom, thanks", thread)
    await until(lambda: [row.text for row in rows(bot, Proposal)] == ["Press F5.\nAnd wait."])
    (proposal,) = rows(bot, Proposal)
    assert (proposal.person_id, proposal.ts, proposal.state) == (tom.user_id, first, ProposalState.OPEN)
    await tom.do("edit", channel=SUPPORT, ts=first, text="Press F6.")
    await until(lambda: [row.text for row in rows(bot, Proposal)] == ["Press F6.\nAnd wait."])
    await tom.do("delete", channel=SUPPORT, ts=second)
    await until(lambda: [row.text for row in rows(bot, Proposal)] == ["Press F6."])
    await ana.click(message, VOTE_ACTION, "up:1")
    await until(lambda: rows(bot, Proposal) == [])
