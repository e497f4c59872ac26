"""Scenes of asking and of feedback."""

from collections.abc import Awaitable, Callable
from typing import Any

from bot import posting
from bot.blocks.content import Content
from bot.blocks.fix import Fixed, fix_notice
from bot.blocks.fix import quiet as quiet_content
from bot.posting import Place
from deploy.workspace.elements import walk
from store.people import set_fix_notices
from tests.bot.cast import IDS, TEAM, Actor
from tests.bot.effects import quiet
from tests.bot.scenes import Deed, Stage, click_on, option, submission
from tests.fixtures_workspace import ANA, SUPPORT

Json = dict[str, Any]
Scene = Callable[[Stage], Awaitable[Deed]]


def command(name: str, text: str) -> Scene:
    async def scene(stage: Stage) -> Deed:
        return lambda actor: actor.command(name, text)

    return scene


def message(kind: str, channel: str, text: str) -> Scene:
    """A reply in a thread of Ana's that the bot has no part in yet."""

    async def scene(stage: Stage) -> Deed:
        stage.questions += 1
        root = await stage.ana.post(channel, f"Hall {stage.questions} is closed on day {stage.questions * 3}.")

        async def say(actor: Actor) -> None:
            stage.questions += 1
            ts = f"{root[:11]}{int(root[11:]) + stage.questions:06d}"
            await actor.event(kind, channel=channel, ts=ts, thread_ts=root, text=text)

        return say

    return scene


def event(kind: str, **fields: Any) -> Scene:
    async def scene(stage: Stage) -> Deed:
        return lambda actor: actor.event(kind, **fields)

    return scene


async def ask_about_message(stage: Stage) -> Deed:
    stage.questions += 1
    ts = await stage.ana.post(SUPPORT, f"The printer {stage.questions} is on fire")
    said = next(each for each in await stage.ana.messages(SUPPORT) if each["ts"] == ts)
    return lambda actor: actor.shortcut("ask_about_message", {**said, "channel": SUPPORT})


async def retry(stage: Stage) -> Deed:
    stage.model.failures = [500, 500, 500]
    failed = await stage.answer()
    stage.model.failures = []
    return click_on(failed, "retry_answer")


def under_answer(action_id: str) -> Scene:
    async def scene(stage: Stage) -> Deed:
        return click_on(await stage.answer(), action_id)

    return scene


async def unsolve(stage: Stage) -> Deed:
    answer = await stage.answer()
    stage.ana.forget()
    await stage.ana.click(answer, "solve_ticket")
    solved = await stage.ana.wait_for_message(lambda said: "unsolve_ticket" in str(said.get("blocks")))
    await quiet(stage.bot)
    return click_on({**solved, "channel": SUPPORT}, "unsolve_ticket")


async def share(stage: Stage) -> Deed:
    """The button under an answer that only Ana sees."""
    stage.questions += 1
    stage.ana.forget()
    question = f"What is in box number {stage.questions * 13}?"
    await stage.ana.do("command", channel=SUPPORT, command="/ask", text=question)
    private = await stage.ana.wait_for_message(lambda said: "share_answer" in str(said.get("blocks")))
    await quiet(stage.bot)
    return click_on(private, "share_answer")


async def vote(stage: Stage) -> Deed:
    answer = await stage.answer()
    return click_on(answer, "vote", value=thumb(answer, "positive_button"))


async def vote_reason(stage: Stage) -> Deed:
    answer = await stage.answer()
    down = thumb(answer, "negative_button")
    for person in (stage.ravi, stage.mei):
        await person.click(answer, "vote", down)
    view = await stage.modal(ANA, lambda ana: ana.click(answer, "vote", down))
    return submission(view, reason=option("wrong"), words="It is not so.")


async def tell_why(stage: Stage) -> Deed:
    """The button that follows a 👎 that was given as a reaction; who gave none has nothing to tell."""
    answer = await stage.answer()
    for person in (stage.ravi, stage.mei, stage.ana):
        stage.ana.forget()
        await person.do("react", channel=SUPPORT, ts=answer["ts"], name="-1")
    asked = await stage.ana.wait_for_message(lambda said: "tell_why" in str(said.get("blocks")))
    await quiet(stage.bot)
    return click_on({**asked, "channel": SUPPORT}, "tell_why")


async def reaction(stage: Stage) -> Deed:
    answer = await stage.answer()

    async def react(actor: Actor) -> None:
        stands(stage, answer, [actor.id])
        await actor.event("reaction_added", reaction="-1", item=item_of(answer), item_user=answer["user"])

    return react


async def reaction_taken_back(stage: Stage) -> Deed:
    answer = await stage.answer()
    for person in (stage.ana, stage.ravi, stage.mei):
        await person.do("react", channel=SUPPORT, ts=answer["ts"], name="-1")

    async def take_back(actor: Actor) -> None:
        stands(stage, answer, [])
        await actor.event("reaction_removed", reaction="-1", item=item_of(answer), item_user=answer["user"])

    return take_back


def item_of(answer: Json) -> Json:
    return {"type": "message", "channel": SUPPORT, "ts": answer["ts"]}


def stands(stage: Stage, answer: Json, users: list[str]) -> None:
    """Let the reaction be that of these users, as Slack says when it is asked; no event tells of it."""
    storage = stage.workspace.workspace.storage
    message = storage.message(SUPPORT, answer["ts"])
    assert message is not None
    reactions = [{"name": "-1", "users": users, "count": len(users)}] if users else []
    storage.put_message({**message, "reactions": reactions})


def privacy(action_id: str) -> Scene:
    """A button of what `/nightschool privacy` showed to Ana."""

    async def scene(stage: Stage) -> Deed:
        stage.ana.forget()
        await stage.ana.do("command", channel=SUPPORT, command="/nightschool", text="privacy")
        shown = await stage.ana.wait_for_message(lambda said: action_id in str(said.get("blocks")))
        return click_on(shown, action_id)

    return scene


def notice(content: Content, action_id: str, *, wanted: bool) -> Scene:
    """A button about news of fixes, in Ana's direct message; everybody's choice so far is `wanted`."""

    async def scene(stage: Stage) -> Deed:
        for person_id in IDS.values():
            await stage.bot.store.write(set_fix_notices, TEAM, person_id, wanted=wanted)
        ts = await posting.post(stage.bot.services.slack, Place(stage.ana.dm), content, {})
        said = next(each for each in await stage.ana.messages(stage.ana.dm) if each["ts"] == ts)
        return click_on({**said, "channel": stage.ana.dm}, action_id)

    return scene


FIXED = fix_notice(Fixed("v1", "When?", "At nine.", approved=False, link=""))
FIX_NOTICES_OFF = notice(FIXED, "fix_notices_off", wanted=True)
FIX_NOTICES_ON = notice(quiet_content(), "fix_notices_on", wanted=False)


def thumb(answer: Json, button: str) -> str:
    """The value of one of an answer's thumbs."""
    thumbs = next(each.element for each in walk(answer["blocks"]) if each.element["action_id"] == "vote")
    return str(thumbs[button]["value"])
