"""Who may do what: eight identities, each on everything that the app listens to, over the wire.

The columns are asker, reviewer, admin, guest, deactivated, other bot, stranger from another team, empty.
D: it does something (a row in the store, a message, a view); t: they are told that they may not; .: nothing at all.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from bot import listeners
from deploy.workspace.elements import walk
from deploy.workspace.server import Running, running
from store.settings import Settings
from tests.bot import scenes
from tests.bot.cast import GONE, OTHER_BOT, STRANGER, Actor, Identity, cast_seed
from tests.bot.conftest import RunningBot
from tests.bot.effects import quiet, snapshot
from tests.bot.model_server import ScriptedModel
from tests.bot.scenes import Deed, Stage, click_on, identities, option, submission
from tests.fixtures_workspace import ANA, BOT_USER, FAST_RETRIES, MEI, RAVI, SUPPORT, Person, default_workspace

Json = dict[str, Any]
DM = "D0ANA000001"
Scene = Callable[[Stage], Awaitable[Deed]]

ANYONE = "DDD D ..t."
REVIEWERS = "tDD t ..t."
ADMINS_ONLY = "ttD t ..t."
QUIETLY = "DDD D ...."
"""What people of ours may do, and where others are not told anything, because they did not speak to the bot."""
NOBODY = "... . ...."
NOT_BY_A_PERSON = {"event user_change", "event agent_session_stopped"}
"""What has a test of its own below, because no answer or post comes of it."""


def in_answer(action_id: str, **chosen: Any) -> Scene:
    async def scene(stage: Stage) -> Deed:
        return click_on(await stage.answer(), action_id, **chosen)

    return scene


def in_card(action_id: str) -> Scene:
    async def scene(stage: Stage) -> Deed:
        return click_on(await stage.card(), action_id)

    return scene


def in_home(person_id: str, action_id: str, before: Callable[[Stage], Awaitable[Any]] | None = None) -> Scene:
    async def scene(stage: Stage) -> Deed:
        if before is not None:
            await before(stage)
        return click_on(await stage.home(person_id), action_id)

    return scene


def command(name: str, text: str) -> Scene:
    async def scene(stage: Stage) -> Deed:
        return lambda actor: actor.command(name, text)

    return scene


async def shortcut_on_message(stage: Stage) -> Deed:
    stage.questions += 1
    ts = await stage.ana.post(SUPPORT, f"The printer {stage.questions} is on fire")
    message = next(each for each in await stage.ana.messages(SUPPORT) if each["ts"] == ts)
    return lambda actor: actor.shortcut("ask_about_message", {**message, "channel": SUPPORT})


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


async def reaction(stage: Stage) -> Deed:
    item = await stage.answer()
    place = {"type": "message", "channel": SUPPORT, "ts": item["ts"]}
    return lambda actor: actor.event("reaction_added", reaction="-1", item=place, item_user=item["user"])


async def reaction_taken_back(stage: Stage) -> Deed:
    item = await stage.answer()
    for person in (stage.ana, stage.ravi, stage.mei):
        await person.do("react", channel=SUPPORT, ts=item["ts"], name="-1")
    place = {"type": "message", "channel": SUPPORT, "ts": item["ts"]}
    return lambda actor: actor.event("reaction_removed", reaction="-1", item=place, item_user=item["user"])


async def home_opened(stage: Stage) -> Deed:
    return lambda actor: actor.event("app_home_opened", tab="home", channel="D0ANA000001")


async def promoted(stage: Stage) -> None:
    card = await stage.card()
    await stage.mei.click(card, "promote_version")
    await quiet(stage.bot)


async def review(stage: Stage) -> Deed:
    await stage.answer()
    home = await stage.home(RAVI)
    view = await stage.modal(RAVI, lambda ravi: ravi.click(home, "review_answer"))
    return submission(view, verdict=option("accepted"))


async def vote_reason(stage: Stage) -> Deed:
    answer = await stage.answer()
    for person in (stage.ravi, stage.mei):
        await person.click(answer, "vote", answer_value(answer, "negative_button"))
    down = answer_value(answer, "negative_button")
    view = await stage.modal(ANA, lambda ana: ana.click(answer, "vote", down))
    return submission(view, reason=option("wrong"), words="It is not so.")


def answer_value(answer: Json, button: str) -> str:
    thumbs = next(each.element for each in walk(answer["blocks"]) if each.element["action_id"] == "vote")
    return str(thumbs[button]["value"])


async def vote(stage: Stage) -> Deed:
    answer = await stage.answer()
    return click_on(answer, "vote", value=answer_value(answer, "positive_button"))


async def retry(stage: Stage) -> Deed:
    stage.model.failures = [500, 500, 500]
    failed = await stage.answer()
    stage.model.failures = []
    return click_on(failed, "retry_answer")


TABLE: dict[str, tuple[str, Scene]] = {
    # feedback
    "action vote": (ANYONE, vote),
    "view vote_reason": (ANYONE, vote_reason),
    "event reaction_added": (QUIETLY, reaction),
    "event reaction_removed": ("DDD . ....", reaction_taken_back),
    # asking
    "action retry_answer": (ANYONE, retry),
    "event message in a thread, mentioning the bot": (ANYONE, message("message", SUPPORT, f"<@{BOT_USER}> When?")),
    "event app_mention": (ANYONE, message("app_mention", SUPPORT, f"<@{BOT_USER}> When?")),
    "event message in a direct message": (QUIETLY, message("message", DM, "When does it open?")),
    "event message not meant for the bot": (NOBODY, message("message", SUPPORT, "I see.")),
    "command /ask": (ANYONE, command("/ask", "When does hall 3 open?")),
    "shortcut ask_about_message": (ANYONE, shortcut_on_message),
    "event app_home_opened": (QUIETLY, home_opened),
    # reviewing
    "action review_answer": (REVIEWERS, in_home(RAVI, "review_answer", before=Stage.answer)),
    "view review": (REVIEWERS, review),
    # administering
    "action promote_version": (ADMINS_ONLY, in_card("promote_version")),
    "action hold_version": (ADMINS_ONLY, in_card("hold_version")),
    "action roll_back": (ADMINS_ONLY, in_home(MEI, "roll_back", before=promoted)),
    "action run_night": (ADMINS_ONLY, in_home(MEI, "run_night")),
}


class Recorder:
    """Stands in for Bolt's app while the listeners register, and notes what they listen to."""

    def __init__(self) -> None:
        self.heard: set[str] = set()

    def __getattr__(self, kind: str) -> Callable[..., Any]:
        def listen(constraint: Any, *_: Any, **__: Any) -> Callable[[Any], Any]:
            name = constraint if isinstance(constraint, str) else getattr(constraint, "pattern", str(constraint))
            if name != ".*":
                self.heard.add(f"{kind} {name}")
            return lambda listener: listener

        return listen


def heard() -> set[str]:
    recorder = Recorder()
    listeners.register(recorder)  # type: ignore[arg-type]
    return recorder.heard


def test_every_listener_has_its_row() -> None:
    rows = {" ".join(name.split(" ")[:2]) for name in TABLE}
    assert heard() - rows - NOT_BY_A_PERSON == set()
    assert rows - heard() == set()


@pytest.fixture
async def workspace(tmp_path: Path) -> AsyncIterator[Running]:
    whole = default_workspace(tmp_path / "workspace", FAST_RETRIES, seed=cast_seed())
    async with running(whole, with_test_api=True) as server:
        yield server


@pytest.fixture
def bot_settings(bot_settings: Settings) -> Settings:
    """Whoever may never act is named for every duty: only what they are keeps them out."""
    never = [GONE, OTHER_BOT, STRANGER, ""]
    return bot_settings.model_copy(update={"reviewers": [RAVI, *never], "admins": [MEI, *never]})


@pytest.fixture
def stage(
    bot: RunningBot, workspace: Running, model: ScriptedModel, tmp_path: Path, ana: Person, ravi: Person, mei: Person
) -> Stage:
    return Stage(bot, workspace, model, tmp_path, ana, ravi, mei)


async def effect(stage: Stage, deed: Deed, identity: Identity) -> str:
    """What happens when one of the cast does it."""
    before = snapshot(stage.bot, stage.workspace)
    await deed(Actor(stage.workspace, identity))
    await quiet(stage.bot)
    return before.effect_of(snapshot(stage.bot, stage.workspace)).value


async def played(stage: Stage, scene: Scene, row: str) -> dict[str, str]:
    """A row as it really is: those who may not act first, on one stage; then each of the others on a fresh one."""
    found = {}
    deed = await scene(stage)
    await quiet(stage.bot)
    for identity, letter in sorted(scenes.identities(row), key=lambda pair: pair[1] == "D"):
        if letter == "D" and "D" in found.values():
            deed = await scene(stage)
            await quiet(stage.bot)
        found[identity.value] = await effect(stage, deed, identity)
    return found


@pytest.mark.parametrize("name", TABLE)
async def test_exactly_the_allowed_cells_do_something(stage: Stage, name: str) -> None:
    row, scene = TABLE[name]
    expected = {identity.value: letter for identity, letter in identities(row)}
    assert await played(stage, scene, row) == expected
