"""Scenes of reviewing and of administering."""

from collections.abc import Awaitable, Callable
from typing import Any

from sqlmodel import Session

from store import canaries, channels, nights, review_claims, reviews, trials
from store.canaries import Part
from store.reviews import Decision
from store.tables import Answer, Channel, Proposal, ReviewDesk
from store.words import Cause, Verdict
from tests.bot.effects import quiet
from tests.bot.reviewing import add_answer
from tests.bot.scenes import Deed, Stage, click_on, option, submission
from tests.bot.scenes_of_people import Scene
from tests.bot.test_asking import rows
from tests.fixtures_workspace import ADMINS, MEI, RAVI, SUPPORT, TOM

Json = dict[str, Any]
Before = Callable[[Stage], Awaitable[Any]]


async def nothing(stage: Stage) -> None:
    """Nothing has to be there."""


def in_card(action_id: str) -> Scene:
    async def scene(stage: Stage) -> Deed:
        return click_on(await stage.card(), action_id)

    return scene


def in_home(person_id: str, action_id: str, before: Before = nothing, **chosen: Any) -> Scene:
    async def scene(stage: Stage) -> Deed:
        await before(stage)
        return click_on(await stage.home(person_id), action_id, **chosen)

    return scene


def in_modal(person_id: str, opener: str, before: Before = nothing, **filled: Any) -> Scene:
    """Submit the modal that a button of a Home tab opens."""

    async def scene(stage: Stage) -> Deed:
        await before(stage)
        home = await stage.home(person_id)
        view = await stage.modal(person_id, lambda person: person.click(home, opener))
        return submission(view, **filled)

    return scene


async def promoted(stage: Stage) -> None:
    """A version is in production."""
    await stage.mei.click(await stage.card(), "promote_version")
    await quiet(stage.bot)


async def on_trial(stage: Stage) -> None:
    """Mei is trying a version in her direct messages."""
    await stage.card()
    await stage.bot.store.write(trials.start, MEI, f"v{stage.nights}")


async def canary_runs(stage: Stage) -> None:
    """A version answers a tenth of the threads."""
    await stage.card()
    await stage.bot.store.write(canaries.start, f"v{stage.nights}", Part(0.1), MEI)


async def night_asked_for(stage: Stage) -> None:
    """A night is about to begin."""
    await stage.bot.store.write(nights.request, MEI)


async def channel_known(stage: Stage) -> None:
    """A channel has settings of its own."""
    settings = Channel(team_id="T0LOCAL0001", channel_id=SUPPORT, persona="Be brief.")
    await stage.bot.store.write(channels.save, settings, MEI)


ADMIN_VIEWS = {
    "channel_settings": in_modal(MEI, "change_channel", channel_known, persona="Be kind."),
    "choose_channel": in_modal(MEI, "choose_channel", channel={"selected_conversation": SUPPORT}),
    "role": in_modal(MEI, "change_role", person={"selected_user": TOM}, role=option("reviewer")),
    "canary": in_modal(MEI, "version_step_canary", Stage.card, share=option("0.1")),
    "version_step": in_modal(MEI, "version_step_promote", Stage.card, note="It is better."),
}
REVIEW = in_modal(RAVI, "review_answer", Stage.answer, verdict=option("accepted"))


def in_review(action_id: str, before: Before = nothing, **chosen: Any) -> Scene:
    """Use something in the modal in which Ravi reviews."""

    async def scene(stage: Stage) -> Deed:
        await stage.answer()
        await before(stage)
        home = await stage.home(RAVI)
        view = await stage.modal(RAVI, lambda ravi: ravi.click(home, "review_answer"))
        return click_on(view, action_id, **chosen)

    return scene


def _last(stage: Stage) -> int:
    return max(answer.id for answer in rows(stage.bot, Answer))


async def reply_proposed(stage: Stage) -> None:
    """A colleague's reply waits for a reviewer."""
    with stage.bot.store.writing() as session:
        reply = Proposal(answer_id=_last(stage), person_id=TOM, ts=f"{stage.questions}.9", text="Press F5.")
        session.add(reply)


async def skipped(stage: Stage) -> None:
    """Ravi has left an answer to others."""
    await stage.answer()
    await stage.bot.store.write(review_claims.skip, _last(stage), RAVI)


async def decided(stage: Stage) -> None:
    """Ravi has just decided on an answer."""
    await stage.answer()
    await stage.bot.store.write(reviews.decide, Decision(_last(stage), RAVI, Verdict.ACCEPTED))


async def _gap(stage: Stage) -> Json:
    """The message of a gap in the documents that a reviewer has found, in the admins' channel."""
    await stage.answer()
    decision = Decision(_last(stage), RAVI, Verdict.CORRECTED, f"Ask in hall {stage.questions}.", Cause.KNOWLEDGE)
    await stage.bot.store.write(reviews.decide, decision)
    await quiet(stage.bot)
    return await _last_with(stage, "gap_written")


async def _last_with(stage: Stage, action_id: str) -> Json:
    found = [message for message in await stage.mei.messages(ADMINS) if action_id in str(message.get("blocks"))]
    return {**found[-1], "channel": ADMINS}


async def gap_written(stage: Stage) -> Deed:
    return click_on(await _gap(stage), "gap_written")


async def gap_reopened(stage: Stage) -> Deed:
    await stage.ravi.click(await _gap(stage), "gap_written")
    await quiet(stage.bot)
    return click_on(await _last_with(stage, "gap_reopen"), "gap_reopen")


async def long_queue(stage: Stage) -> None:
    """More answers wait than one page shows."""
    for number in range(stage.questions, stage.questions + 12):
        add_answer(stage.bot.store, f"{number} {chr(97 + number % 26) * 9}?")
    stage.questions += 12
    await stage.bot.store.write(_turn_to, 0)


async def second_page(stage: Stage) -> None:
    """Ravi looks at the second page."""
    await long_queue(stage)
    await stage.bot.store.write(_turn_to, 1)


def _turn_to(session: Session, page: int) -> None:
    session.merge(ReviewDesk(reviewer_id=RAVI, channels=[], page=page))
