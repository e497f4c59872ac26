"""A reviewer's way through the queue without leaving the modal, over the wire."""

from datetime import timedelta
from typing import Any

from sqlmodel import select, update

from bot.app import create_app
from bot.blocks.home.reviewing import (
    BACK_ACTION,
    CHANNELS_ACTION,
    FILTER_ACTION,
    MORE_ACTION,
    REVIEW_ACTION,
)
from bot.blocks.review import SKIP_ACTION, UNDO_ACTION, UNSKIP_ACTION
from store import contradictions, review_claims
from store.tables import Message, OutboxMessage, Proposal, Review, ReviewClaim, ReviewSkip, Ticket, now
from store.words import OutboxState, ProposalState, ReviewState, TicketStatus, Verdict
from tests.bot.conftest import RunningBot
from tests.bot.model_server import ScriptedModel
from tests.bot.reviewing import (
    add_answer,
    decide,
    down,
    element,
    home_of,
    option,
    press,
    published,
    start,
    ticks,
    words,
)
from tests.bot.test_asking import rows
from tests.bot.test_feedback import answered, modal_of, radio
from tests.bot.test_inbox import until
from tests.bot.test_roles import send, submission
from tests.fixtures_workspace import GENERAL, SUPPORT, Person

Json = dict[str, Any]

QUESTIONS = ["Who mends bikes?", "Where is lunch?", "Is VPN down again", "My badge fell off", "Which form for leave?"]


def holders(bot: RunningBot) -> dict[int, str]:
    with bot.store.reading() as session:
        return review_claims.holders(session)


async def test_one_answer_follows_the_other_in_the_same_modal(bot: RunningBot, ravi: Person) -> None:
    for number in range(5):
        add_answer(bot.store, QUESTIONS[number], votes=down(number))
    view = await start(ravi)
    assert "0 decided, 5 wait" in words(view)
    assert QUESTIONS[4] in words(view)
    opened = view["id"]
    for decided, verdict in enumerate(["accepted", "rejected", "accepted", "rejected", "accepted"], start=1):
        view = await decide(ravi, view, verdict)
        assert view["id"] == opened
        assert f"{decided} decided, {5 - decided} wait" in words(view)
        # What was chosen for the last one is not chosen for the next.
        chosen = [value for block in view["state"]["values"].values() for value in block.values()]
        assert all(value.get("selected_option") is None for value in chosen if value["type"] == "radio_buttons")
    assert "Nothing waits for you" in words(view)
    assert [review.verdict for review in rows(bot, Review)][:2] == [Verdict.ACCEPTED, Verdict.REJECTED]
    assert holders(bot) == {}


async def test_pressing_decide_twice_decides_once(bot: RunningBot, ravi: Person) -> None:
    first = add_answer(bot.store, QUESTIONS[0], votes=down(1))
    second = add_answer(bot.store, QUESTIONS[1])
    app = create_app(bot.services)
    await send(app, submission(ravi.user_id, first))
    await send(app, submission(ravi.user_id, first))
    assert [review.answer_id for review in rows(bot, Review)] == [first]
    assert holders(bot) == {second: ravi.user_id}


async def test_somebody_else_s_answer_is_said_to_be_taken_and_the_next_one_shown(
    bot: RunningBot, ravi: Person, mei: Person
) -> None:
    wanted = add_answer(bot.store, "the first", votes=down(2))
    add_answer(bot.store, "the second")
    home = await home_of(mei)
    await start(ravi)
    assert holders(bot) == {wanted: ravi.user_id}
    mei.forget()
    await mei.click(home, REVIEW_ACTION, str(wanted))
    view = await modal_of(mei)
    assert f"<@{ravi.user_id}> is busy with that one" in words(view)
    assert "the second" in words(view)
    await home_of(mei, f"<@{ravi.user_id}> is busy with it")
    outcome = await mei.submit(view, {"verdict": radio("accepted")})
    assert "Nothing waits for you" in words(outcome["view"])


async def test_closing_the_modal_gives_the_answer_back(bot: RunningBot, ravi: Person, mei: Person) -> None:
    answer_id = add_answer(bot.store, "q")
    view = await start(ravi)
    assert view["notify_on_close"] is True
    await ravi.do("close_view", view_id=view["id"], cleared=False)
    await until(lambda: holders(bot) == {})
    await start(mei)
    assert holders(bot) == {answer_id: mei.user_id}


async def test_a_claim_runs_out_and_who_comes_too_late_keeps_their_text(
    bot: RunningBot, ravi: Person, mei: Person
) -> None:
    answer_id = add_answer(bot.store, "q")
    ravis = await start(ravi)
    with bot.store.writing() as session:
        session.exec(update(ReviewClaim).values(until=now() - timedelta(seconds=1)))
    meis = await start(mei)
    assert holders(bot) == {answer_id: mei.user_id}
    await decide(mei, meis, "accepted")
    refused = await ravi.submit(ravis, {"verdict": radio("corrected"), "correction": "Hours of work"})
    assert "has already decided" in str(refused["errors"])
    assert [review.reviewer_id for review in rows(bot, Review)] == [mei.user_id]


async def test_what_is_skipped_goes_to_others_and_can_be_looked_at_again(
    bot: RunningBot, ravi: Person, mei: Person
) -> None:
    first = add_answer(bot.store, "the first", votes=down(1))
    add_answer(bot.store, "the second")
    view = await start(ravi)
    view = await press(ravi, view, SKIP_ACTION)
    assert "Left to other reviewers" in words(view)
    assert "the second" in words(view)
    view = await press(ravi, view, SKIP_ACTION)
    assert "Nothing waits for you" in words(view)
    assert "left 2 to others" in words(view)
    assert len(rows_of_skips(bot)) == 2
    assert "the first" in words(await start(mei))
    await home_of(ravi, "Look again at 2 skipped")
    view = await press(ravi, view, UNSKIP_ACTION)
    assert "the second" in words(view), "the first is with the other reviewer now"
    assert holders(bot)[first] == mei.user_id
    assert rows_of_skips(bot) == []


def rows_of_skips(bot: RunningBot) -> list[ReviewSkip]:
    with bot.store.reading() as session:
        return list(session.exec(select(ReviewSkip)))


async def test_a_decision_is_undone_with_all_that_followed_from_it(
    bot: RunningBot, ana: Person, ravi: Person, model: ScriptedModel
) -> None:
    message = await answered(bot, ana)
    with bot.store.writing() as session:
        session.add(Proposal(answer_id=1, person_id="U9", ts="9.9", text="Press F7."))
    view = await start(ravi)
    reply = element(view, "review_start")["options"][1]
    view = await press(ravi, view, "review_start", selected_option=reply)
    view = await decide(ravi, view, "corrected")
    posted = await ana.wait_for_message(lambda shown: "Press F7." in str(shown.get("blocks")))
    await until(lambda: rows(bot, OutboxMessage)[0].state == OutboxState.SENT)
    ana.forget()
    view = await press(ravi, view, UNDO_ACTION)
    assert "Taken back" in words(view)
    assert "how?" in words(view)
    assert rows(bot, Review) == []
    assert rows(bot, Ticket)[0].status == TicketStatus.ANSWERED
    assert rows(bot, Proposal)[0].state == ProposalState.OPEN
    marked = await ana.wait_for_message(lambda shown: "took it back" in str(shown.get("text")))
    assert marked["ts"] == posted["ts"]
    assert "Press F7." not in str(marked["blocks"])
    await ana.post(SUPPORT, "and then?", message["thread_ts"])
    await until(lambda: len(model.requests) == 2)
    assert "Press F7." not in str(model.requests[1]["messages"])
    await decide(ravi, view, "corrected", correction="Press F8.")
    await ana.wait_for_message(lambda shown: "Press F8." in str(shown.get("blocks")))


async def test_a_whole_batch_is_undone_from_the_home_tab(bot: RunningBot, ravi: Person, mei: Person) -> None:
    for number in range(3):
        add_answer(bot.store, "How do I order a new badge?", thread_ts=str(number), text="Ask Mei.")
    view = await start(ravi)
    near = [box["value"] for box in element(view, "alike")["options"]]
    await decide(ravi, view, "accepted", alike=ticks(*near))
    assert len(rows(bot, Review)) == 3
    assert UNDO_ACTION not in words(await home_of(mei))
    home = await home_of(ravi, "and 2 like it")
    assert (await ravi.click(home, UNDO_ACTION))["ok"]
    await published(ravi, "3 waiting", without=UNDO_ACTION)
    assert rows(bot, Review) == []


async def test_after_ten_minutes_a_decision_stays(bot: RunningBot, ravi: Person) -> None:
    add_answer(bot.store, "one"), add_answer(bot.store, "two")
    view = await start(ravi)
    view = await decide(ravi, view, "accepted")
    with bot.store.writing() as session:
        session.exec(update(Review).values(created_at=now() - timedelta(minutes=10, seconds=1)))
    view = await press(ravi, view, UNDO_ACTION)
    assert "for ten minutes, and they are over" in words(view)
    assert "one" in words(view) or "two" in words(view)
    assert len(rows(bot, Review)) == 1
    await home_of(ravi, "1 waiting", without=UNDO_ACTION)


async def test_the_queue_is_filtered_and_paged(bot: RunningBot, ravi: Person) -> None:
    for number in range(12):
        add_answer(bot.store, f"{number} {chr(97 + number) * 9}", votes=down(1), channel=SUPPORT)
    add_answer(bot.store, "wants a human", status=TicketStatus.ESCALATED, channel=GENERAL)
    home = await home_of(ravi, "13 waiting (12 voted down, 1 escalated)")
    assert words(home).count(f"'{REVIEW_ACTION}'") == 10

    async def choose(action_id: str, *shown: str, without: str = "", **chosen: Any) -> Json:
        ravi.forget()
        assert (await ravi.click(home, action_id, **chosen))["ok"]
        return await published(ravi, *shown, without=without)

    home = await choose(MORE_ACTION, BACK_ACTION)
    assert words(home).count(f"'{REVIEW_ACTION}'") == 3
    home = await choose(BACK_ACTION, MORE_ACTION)
    assert words(home).count(f"'{REVIEW_ACTION}'") == 10
    home = await choose(FILTER_ACTION, without=MORE_ACTION, selected_option=option("escalated"))
    assert words(home).count(f"'{REVIEW_ACTION}'") == 1
    assert "wants a human" in words(home)
    home = await choose(CHANNELS_ACTION, "Nothing that waits fits this choice", selected_conversations=[SUPPORT])
    # The choice is kept, and the modal flow follows it.
    home = await home_of(ravi, "Nothing that waits fits")
    home = await choose(CHANNELS_ACTION, "wants a human", selected_conversations=[])
    assert "wants a human" in words(await start(ravi))


async def test_a_second_opinion_is_formed_alone(bot: RunningBot, ana: Person, ravi: Person, mei: Person) -> None:
    bot.services.settings.second_opinion_share = 1.0
    await answered(bot, ana)
    await decide(ravi, await start(ravi), "corrected", correction="Press F5.", note="my secret opinion")
    await ana.wait_for_message(lambda shown: "Press F5." in str(shown.get("blocks")))
    await until(lambda: "Press F5." in [line.text for line in rows(bot, Message)])
    view = await start(mei)
    assert "how?" in words(view)
    assert "secret" not in words(view)
    assert "Press F5." not in words(view)


async def test_two_reviewers_and_a_third_who_decides(bot: RunningBot, ravi: Person, mei: Person, tom: Person) -> None:
    bot.services.settings.second_opinion_share = 1.0
    bot.services.settings.reviewers.append(tom.user_id)
    answer_id = add_answer(bot.store, "q", text="Ask Mei.")
    await decide(ravi, await start(ravi), "accepted", note="my secret opinion")
    await home_of(ravi, "0 waiting", "Nothing waits")  # Who has judged is not asked again.
    await home_of(mei, "1 second opinion needed")
    view = await start(mei)
    assert "second opinion is wanted" in words(view)
    assert "secret" not in words(view), "a second opinion is formed alone"
    await decide(mei, view, "rejected")
    assert state_of(bot, answer_id) == ReviewState.THIRD
    view = await start(tom)
    assert "two reviewers disagree" in words(view)
    await decide(tom, view, "accepted")
    assert state_of(bot, answer_id) == ReviewState.SETTLED
    await home_of(ravi, "judged by two: 0 % the same verdict")


def state_of(bot: RunningBot, answer_id: int) -> ReviewState:
    from store import answers

    with bot.store.reading() as session:
        return answers.get(session, answer_id).review_state


async def test_a_contradiction_is_in_the_queue_until_one_answer_is_reviewed_again(
    bot: RunningBot, ravi: Person
) -> None:
    settled = {"review_state": ReviewState.SETTLED}
    first = add_answer(bot.store, "When does the desk open?", text="It opens at 9 am.", **settled)
    second = add_answer(bot.store, "Hi, when does the desk open?", text="It opens at 10 am.", **settled)
    with bot.store.writing() as session:
        # Ravi accepted both, some time ago.
        for answer_id in (first, second):
            session.add(Review(answer_id=answer_id, reviewer_id=ravi.user_id, verdict=Verdict.ACCEPTED))
        session.flush()
        contradictions.record(session, [(first, second)])
    home = await home_of(ravi, "contradicts the answer to ticket", "2 contradicting another answer")
    assert "Hi, when does the desk open?" in words(home)
    view = await start(ravi)
    assert "It contradicts the answer to ticket" in words(view)
    assert "It opens at 9 am." in words(view)
    assert "It opens at 10 am." in words(view)
    view = await decide(ravi, view, "corrected", correction="It opens at 11 am.")
    assert "Nothing waits for you" in words(view)
    await home_of(ravi, "0 waiting", without="contradicts the answer")
