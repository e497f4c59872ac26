import asyncio
from collections.abc import Awaitable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import update

from bot.blocks.feedback import TELL_WHY_ACTION, VOTE_ACTION, parse_vote
from bot.metadata import FeedbackPlace
from store import votes
from store.errors import BadInput
from store.session import Store
from store.tables import Answer, InboxEvent, Ticket, Vote
from store.votes import Ballot, Complaint
from store.words import DeliveryState, InboxState, Surface, Visibility, VoteReason, VoteSource, VoteValue
from tests.bot.conftest import RunningBot
from tests.bot.test_asking import answer_to, recorded, rows
from tests.bot.test_inbox import until
from tests.fixtures_workspace import SUPPORT, Person

Json = dict[str, Any]
SECOND = timedelta(seconds=1)


async def answered(bot: RunningBot, person: Person, question: str = "@nightschool how?") -> Json:
    before = len(rows(bot, Answer))
    ts = await person.post(SUPPORT, question)
    message = await answer_to(person, ts)
    await recorded(bot, count=before + 1)
    return message


async def modal_of(person: Person) -> Json:
    view: Json = (await person.wait_for(lambda event: event.get("view", {}).get("type") == "modal"))["view"]
    return view


def radio(value: str) -> Json:
    return {"selected_option": {"value": value, "text": {"type": "plain_text", "text": "x"}}}


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
    down = replace(up, value=VoteValue.DOWN, source=VoteSource.REACTION, at=up.at + SECOND)
    counted = await asyncio.gather(*(store.write(votes.cast, up) for _ in range(20)))
    assert sum(one.changed for one in counted) == 1
    assert (await store.write(votes.cast, down)).changed
    complaint = Complaint(VoteReason.WRONG, "no", "It is 14 days.")
    assert (await store.write(votes.explain, up.answer_id, "U1", complaint)).changed
    assert not (await store.write(votes.explain, up.answer_id, "U1", complaint)).changed
    assert not (await store.write(votes.cast, down)).changed
    (vote,) = await store.read(votes.of_answer, up.answer_id)
    assert (vote.value, vote.reason, vote.comment, vote.suggestion) == (
        VoteValue.DOWN, VoteReason.WRONG, "no", "It is 14 days.",
    )  # fmt: skip
    assert not (await store.write(votes.cast, up)).changed, "an earlier gesture that arrives later changes nothing"
    assert (await store.write(votes.cast, replace(up, at=down.at + SECOND))).changed
    (vote,) = await store.read(votes.of_answer, up.answer_id)
    assert (vote.value, vote.reason, vote.comment, vote.suggestion) == (VoteValue.UP, None, "", "")


UP, DOWN = VoteValue.UP, VoteValue.DOWN
BUTTON, REACTION = VoteSource.BUTTON, VoteSource.REACTION
GESTURES: list[tuple[list[tuple[str, VoteValue]], VoteValue | None]] = [
    ([("react", UP), ("remove", UP)], None),
    ([("react", UP), ("remove", DOWN)], UP),
    ([("press", UP), ("remove", UP)], UP),
    ([("press", UP), ("react", UP), ("remove", UP)], UP),
    ([("react", UP), ("press", UP), ("remove", UP)], UP),
    ([("press", UP), ("react", DOWN)], DOWN),
    ([("press", UP), ("react", DOWN), ("remove", DOWN)], UP),
    ([("react", DOWN), ("press", UP), ("remove", DOWN)], UP),
    ([("react", UP), ("react", DOWN)], DOWN),
    ([("react", UP), ("react", DOWN), ("remove", DOWN)], UP),
    ([("react", UP), ("react", DOWN), ("remove", UP)], DOWN),
    ([("react", UP), ("react", DOWN), ("remove", UP), ("remove", DOWN)], None),
    ([("press", DOWN), ("react", UP), ("press", DOWN), ("remove", UP)], DOWN),
]


@pytest.mark.parametrize(("gestures", "opinion"), GESTURES)
def test_every_sequence_of_gestures_leaves_what_still_stands(
    store: Store, gestures: list[tuple[str, VoteValue]], opinion: VoteValue | None
) -> None:
    ballot = stored_ballot(store)
    standing: list[VoteValue] = []
    for number, (gesture, value) in enumerate(gestures):
        source = BUTTON if gesture == "press" else REACTION
        given = replace(ballot, value=value, source=source, at=ballot.at + number * SECOND)
        with store.writing() as session:
            if gesture == "remove":
                standing = [one for one in standing if one != value]
                votes.retract(session, given, next(iter(standing), None))
                continue
            standing += [value] if gesture == "react" else []
            votes.cast(session, given)
    with store.reading() as session:
        left = [vote.value for vote in votes.of_answer(session, ballot.answer_id)]
    assert left == ([opinion] if opinion else [])


@pytest.mark.parametrize("value", ["", "up", "up:", "up:x", "sideways:1", "up:-1", "up:１"])
def test_a_value_that_is_not_ours_is_no_vote(value: str) -> None:
    assert parse_vote(value) is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"answer_id": "x"}', "null", "5"])
def test_private_metadata_that_is_not_ours_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        FeedbackPlace.load(text)


def thanks(person: Person) -> list[Json]:
    """What the person was thanked for so far, where only they see it."""
    shown = [event["message"] for event in person.seen if event["type"] == "ephemeral"]
    return [message for message in shown if "Thank you" in message["text"]]


async def test_a_thumb_up_is_stored_and_thanked_for_once(bot: RunningBot, ana: Person, tom: Person) -> None:
    message = await answered(bot, ana)
    for _ in range(3):
        assert (await ana.click(message, VOTE_ACTION, "up:1"))["ok"]
    thanked = await ana.wait_for_message(lambda shown: shown.get("is_ephemeral") and "Thank you" in shown["text"])
    assert thanked["thread_ts"] == message["thread_ts"]
    (vote,) = rows(bot, Vote)
    assert (vote.person_id, vote.value, vote.source) == (ana.user_id, VoteValue.UP, VoteSource.BUTTON)
    await ana.click(message, VOTE_ACTION, "down:1")
    await until(lambda: len(thanks(ana)) == 2)
    assert rows(bot, Vote)[0].value == VoteValue.DOWN
    assert thanks(tom) == []


async def test_a_thumb_down_is_stored_before_it_asks_why(bot: RunningBot, ana: Person, tom: Person) -> None:
    message = await answered(bot, ana)
    assert (await ana.click(message, VOTE_ACTION, "down:1"))["ok"]
    view = await modal_of(ana)
    (vote,) = rows(bot, Vote)
    assert (vote.value, vote.reason) == (VoteValue.DOWN, None)
    assert "What should it have said?" in str(view["blocks"])
    assert (await ana.submit(view, {"words": "It moved."}))["errors"]["reason"]
    said = {"reason": radio("outdated"), "words": "It moved.", "suggestion": "Second floor."}
    outcome = await ana.submit(view, said)
    assert outcome["ok"]
    await until(lambda: len(thanks(ana)) == 2)
    await tom.click(message, VOTE_ACTION, "up:1")
    mine, toms = rows(bot, Vote)
    assert (mine.value, mine.reason, mine.comment, mine.suggestion) == (
        VoteValue.DOWN, VoteReason.OUTDATED, "It moved.", "Second floor.",
    )  # fmt: skip
    assert (toms.person_id, toms.value) == (tom.user_id, VoteValue.UP)
    ana.forget()
    await ana.click(message, VOTE_ACTION, "down:1")
    again = str((await modal_of(ana))["blocks"])
    assert all(words in again for words in ("outdated", "It moved.", "Second floor.")), "what was said can be changed"
    assert thanks(ana) == []


def of_ana(bot: RunningBot, ana: Person) -> VoteValue | None:
    return next((vote.value for vote in rows(bot, Vote) if vote.person_id == ana.user_id), None)


async def taken_up(bot: RunningBot, gesture: Awaitable[Json]) -> None:
    """Make a gesture, and wait until the bot has dealt with its event."""
    before = len(rows(bot, InboxEvent))
    await gesture
    await until(lambda: len(rows(bot, InboxEvent)) == before + 1)
    await until(lambda: all(event.state == InboxState.DONE for event in rows(bot, InboxEvent)))


async def test_reactions_are_votes_too(bot: RunningBot, ana: Person, tom: Person) -> None:
    message = await answered(bot, ana)
    place = {"channel": SUPPORT, "ts": message["ts"]}
    await tom.do("react", **place, name="tada")
    await tom.do("react", **place, name="+1")
    await tom.wait_for_message(lambda shown: shown.get("is_ephemeral") and "Thank you" in shown["text"])
    steps: list[tuple[str, bool, VoteValue | None]] = [
        ("+1::skin-tone-2", False, VoteValue.UP),
        ("+1::skin-tone-6", False, VoteValue.UP),
        ("+1::skin-tone-2", True, VoteValue.UP),
        ("thumbsdown", False, VoteValue.DOWN),
        ("thumbsdown", True, VoteValue.UP),
        ("+1::skin-tone-6", True, None),
        ("-1", False, VoteValue.DOWN),
    ]
    for name, remove, opinion in steps:
        await taken_up(bot, ana.do("react", **place, name=name, remove=remove))
        assert of_ana(bot, ana) == opinion, (name, remove)
    assert {vote.source for vote in rows(bot, Vote)} == {VoteSource.REACTION}
    await ana.click(message, VOTE_ACTION, "up:1")
    await taken_up(bot, ana.do("react", **place, name="-1", remove=True))
    assert of_ana(bot, ana) == VoteValue.UP
    assert len(thanks(ana)) == 4, "once for each change that was a new opinion: up, down, down, up"


async def test_a_reaction_that_complains_offers_to_tell_why(bot: RunningBot, ana: Person) -> None:
    message = await answered(bot, ana)
    place = {"channel": SUPPORT, "ts": message["ts"]}
    await ana.do("react", **place, name="-1")
    offer = await ana.wait_for_message(lambda shown: shown.get("is_ephemeral") and "Tell why" in str(shown["blocks"]))
    await ana.click(offer, TELL_WHY_ACTION)
    view = await modal_of(ana)
    assert (await ana.submit(view, {"reason": radio("tone"), "suggestion": "Friendlier."}))["ok"]
    (vote,) = rows(bot, Vote)
    assert (vote.reason, vote.suggestion) == (VoteReason.TONE, "Friendlier.")
    await ana.do("react", **place, name="-1", remove=True)
    await until(lambda: rows(bot, Vote) == [])
    await ana.click(offer, TELL_WHY_ACTION)
    await ana.wait_for_message(lambda shown: "taken your 👎 back" in shown.get("text", ""))


@pytest.mark.parametrize(
    ("state", "words"), [(DeliveryState.SUPERSEDED, "newer answer"), (DeliveryState.WITHDRAWN, "was deleted")]
)
async def test_an_answer_that_is_gone_is_not_voted_on(
    bot: RunningBot, ana: Person, state: DeliveryState, words: str
) -> None:
    message = await answered(bot, ana)
    with bot.store.writing() as session:
        session.exec(update(Answer).values(state=state))
    await ana.click(message, VOTE_ACTION, "up:1")
    await ana.wait_for_message(lambda shown: shown.get("is_ephemeral") and words in shown["text"])
    ana.forget()
    await ana.do("react", channel=SUPPORT, ts=message["ts"], name="-1")
    await ana.wait_for_message(lambda shown: shown.get("is_ephemeral") and words in shown["text"])
    assert rows(bot, Vote) == []


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
