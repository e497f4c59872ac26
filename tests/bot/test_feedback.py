import asyncio
from typing import Any

import pytest

from bot.blocks.feedback import VOTE_ACTION, parse_vote
from bot.metadata import FeedbackPlace
from store import votes
from store.errors import BadInput
from store.session import Store
from store.tables import Answer, Ticket, Vote
from store.votes import Ballot
from store.words import DeliveryState, Surface, Visibility, VoteReason, VoteSource, VoteValue
from tests.bot.conftest import RunningBot
from tests.bot.test_asking import answer_to, recorded, rows
from tests.bot.test_inbox import until
from tests.fixtures_workspace import SUPPORT, Person

Json = dict[str, Any]


async def answered(bot: RunningBot, person: Person, question: str = "@nightschool how?") -> Json:
    before = len(rows(bot, Answer))
    ts = await person.post(SUPPORT, question)
    message = await answer_to(person, ts)
    await recorded(bot, count=before + 1)
    return message


async def modal_of(person: Person) -> Json:
    view: Json = (await person.wait_for(lambda event: event.get("view", {}).get("type") == "modal"))["view"]
    return view


def stored_ballot(store: Store) -> Ballot:
    with store.writing() as session:
        ticket = Ticket(
            team_id="T", channel_id="C", thread_ts="1.1", asker_id="U1", surface=Surface.MENTION,
            visibility=Visibility.PUBLIC, question="?",
        )  # fmt: skip
        session.add(ticket)
        session.flush()
        answer = Answer(
            ticket_id=ticket.id or 0, event_id="k", question_ts="1.1", state=DeliveryState.DELIVERED, text="!"
        )
        session.add(answer)
        session.flush()
        return Ballot(answer.id or 0, "U1", VoteValue.UP)


async def test_the_last_of_a_person_s_votes_counts(store: Store) -> None:
    up = stored_ballot(store)
    down = Ballot(up.answer_id, up.person_id, VoteValue.DOWN, VoteSource.REACTION)
    await asyncio.gather(*(store.write(votes.cast, up) for _ in range(20)))
    await store.write(votes.cast, down)
    await store.write(votes.explain, up.answer_id, "U1", VoteReason.WRONG, "no")
    await store.write(votes.cast, down)
    (vote,) = await store.read(votes.of_answer, up.answer_id)
    assert (vote.value, vote.reason, vote.comment) == (VoteValue.DOWN, VoteReason.WRONG, "no")
    await store.write(votes.cast, up)
    (vote,) = await store.read(votes.of_answer, up.answer_id)
    assert (vote.value, vote.reason, vote.comment) == (VoteValue.UP, None, "")
    assert not await store.write(votes.retract, down)
    assert await store.write(votes.retract, up)
    assert await store.read(votes.of_answer, up.answer_id) == []


@pytest.mark.parametrize("value", ["", "up", "up:", "up:x", "sideways:1", "up:-1", "up:１"])
def test_a_value_that_is_not_ours_is_no_vote(value: str) -> None:
    assert parse_vote(value) is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"answer_id": "x"}', "null", "5"])
def test_private_metadata_that_is_not_ours_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        FeedbackPlace.load(text)


async def test_a_thumb_up_is_stored_and_thanked_for(bot: RunningBot, ana: Person) -> None:
    message = await answered(bot, ana)
    for _ in range(3):
        assert (await ana.click(message, VOTE_ACTION, "up:1"))["ok"]
    await ana.wait_for_message(lambda shown: shown.get("is_ephemeral") and "Thank you" in shown["text"])
    (vote,) = rows(bot, Vote)
    assert (vote.person_id, vote.value, vote.source) == (ana.user_id, VoteValue.UP, VoteSource.BUTTON)


async def test_a_thumb_down_is_stored_before_it_asks_why(bot: RunningBot, ana: Person, tom: Person) -> None:
    message = await answered(bot, ana)
    assert (await ana.click(message, VOTE_ACTION, "down:1"))["ok"]
    view = await modal_of(ana)
    (vote,) = rows(bot, Vote)
    assert (vote.value, vote.reason) == (VoteValue.DOWN, None)
    outcome = await ana.submit(
        view,
        {"reason": {"selected_option": {"value": "outdated", "text": {"type": "plain_text", "text": "x"}}},
         "words": "It moved."},
    )  # fmt: skip
    assert outcome["ok"]
    await ana.wait_for_message(lambda shown: shown.get("is_ephemeral") and "Thank you" in shown["text"])
    await tom.click(message, VOTE_ACTION, "up:1")
    mine, toms = rows(bot, Vote)
    assert (mine.value, mine.reason, mine.comment) == (VoteValue.DOWN, VoteReason.OUTDATED, "It moved.")
    assert (toms.person_id, toms.value) == (tom.user_id, VoteValue.UP)


async def test_reactions_are_votes_too(bot: RunningBot, ana: Person, tom: Person) -> None:
    message = await answered(bot, ana)
    place = {"channel": SUPPORT, "ts": message["ts"]}
    await ana.do("react", **place, name="-1")
    await tom.do("react", **place, name="+1")
    await tom.do("react", **place, name="tada")
    await until(lambda: len(rows(bot, Vote)) == 2)
    assert {vote.value for vote in rows(bot, Vote)} == {VoteValue.UP, VoteValue.DOWN}
    assert all(vote.source == VoteSource.REACTION for vote in rows(bot, Vote))
    await ana.do("react", **place, name="-1", remove=True)
    await until(lambda: len(rows(bot, Vote)) == 1)


async def test_a_forged_value_names_another_answer_in_vain(bot: RunningBot, ana: Person) -> None:
    await answered(bot, ana)
    ana.forget()
    second = await answered(bot, ana, "@nightschool and then?")
    ana.forget()
    for forged in ("down:1", "up:99", "down:x", ""):
        assert (await ana.click(second, VOTE_ACTION, forged))["ok"] in (True, False)
    await asyncio.sleep(0.3)
    assert rows(bot, Vote) == []


async def test_a_private_answer_can_be_voted_on_by_its_asker(bot: RunningBot, ana: Person) -> None:
    await ana.do("command", channel=SUPPORT, command="/ask", text="Who pays?")
    message = await ana.wait_for_message(lambda shown: "base answers" in shown.get("text", ""))
    await recorded(bot)
    await ana.click(message, VOTE_ACTION, "up:1")
    await until(lambda: len(rows(bot, Vote)) == 1)
