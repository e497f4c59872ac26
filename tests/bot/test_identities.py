"""Who may do what: eight identities, each on everything that the app listens to, over the wire.

The columns are asker, reviewer, admin, guest, deactivated, other bot, stranger from another team, empty.
D: it does something (a row in the store, a message, a view); t: they are told that they may not; .: nothing at all.
"""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from bot import listeners
from deploy.workspace.server import Running, running
from store.session import Store
from store.settings import Settings
from store.tables import Answer
from store.words import DeliveryState
from tests.bot import scenes_of_people as people
from tests.bot import scenes_of_work as work
from tests.bot.cast import GONE, OTHER_BOT, STRANGER, Actor, Identity, cast_seed
from tests.bot.conftest import RunningBot, running_bot
from tests.bot.effects import quiet, snapshot
from tests.bot.model_server import ScriptedModel
from tests.bot.scenes import Deed, Stage, identities, option
from tests.bot.scenes_of_people import Scene, command, message, under_answer
from tests.bot.scenes_of_work import in_card, in_home
from tests.bot.test_asking import recorded, rows
from tests.bot.test_inbox import until
from tests.fixtures_workspace import (
    ANA,
    BOT_USER,
    FAST_RETRIES,
    MEI,
    RAVI,
    SUPPORT,
    Person,
    default_workspace,
    switch,
)

Json = dict[str, Any]
DM = "D0ANA000001"

ANYONE = "DDD D ..t."
REVIEWERS = "tDD t ..t."
ADMINS_ONLY = "ttD t ..t."
ASKER_ONLY = "Dtt t ..t."
QUIETLY = "DDD D ...."
"""What people of ours may do, and where others are not told anything, because they did not speak to the bot."""
NOBODY = "... . ...."
NOT_BY_A_PERSON = {
    *("event user_change", "event agent_session_stopped"),
    *("event app_uninstalled", "event tokens_revoked"),
    "view_closed review",
}
"""What has a test of its own: below; where it is told that the app was removed (by Slack, not by a person); and where
closing a modal gives one's own claim back, which is open to anybody."""


TABLE: dict[str, tuple[str, Scene]] = {
    # feedback
    "action vote": (ANYONE, people.vote),
    "action tell_why": ("DDD t ..t.", people.tell_why),
    "view vote_reason": ("DDD t ..t.", people.vote_reason),
    "action fix_notices_off": (QUIETLY, people.FIX_NOTICES_OFF),
    "action fix_notices_on": (QUIETLY, people.FIX_NOTICES_ON),
    "event reaction_added": (QUIETLY, people.reaction),
    "event reaction_removed": ("DDD . ....", people.reaction_taken_back),
    # asking
    "action retry_answer": (ANYONE, people.retry),
    "action call_human": (ANYONE, under_answer("call_human")),
    "action solve_ticket": (ASKER_ONLY, under_answer("solve_ticket")),
    "action unsolve_ticket": (ASKER_ONLY, people.unsolve),
    "action explain_answer": (ANYONE, under_answer("explain_answer")),
    "action share_answer": (ASKER_ONLY, people.share),
    "event message in a thread, mentioning the bot": (ANYONE, message("message", SUPPORT, f"<@{BOT_USER}> When?")),
    "event app_mention": (ANYONE, message("app_mention", SUPPORT, f"<@{BOT_USER}> When?")),
    "event message in a direct message": (QUIETLY, message("message", DM, "When does it open?")),
    "event message not meant for the bot": (NOBODY, message("message", SUPPORT, "I see.")),
    "command /ask": (ANYONE, command("/ask", "When does hall 3 open?")),
    "command /nightschool": (ANYONE, command("/nightschool", "privacy")),
    "shortcut ask_about_message": (ANYONE, people.ask_about_message),
    "event app_home_opened": (QUIETLY, people.event("app_home_opened", tab="home", channel=DM)),
    "event member_joined_channel": (NOBODY, people.event("member_joined_channel", channel=SUPPORT)),
    "action privacy_learning": (ANYONE, people.privacy("privacy_learning")),
    "action privacy_fix_notices": (ANYONE, people.privacy("privacy_fix_notices")),
    # reviewing
    "action review_answer": (REVIEWERS, in_home(RAVI, "review_answer", Stage.answer)),
    "view review": (REVIEWERS, work.REVIEW),
    "action gap_written": (REVIEWERS, work.gap_written),
    "action gap_reopen": (REVIEWERS, work.gap_reopened),
    "action start_reviewing": (REVIEWERS, in_home(RAVI, "start_reviewing", Stage.answer)),
    "action review_skip": (REVIEWERS, work.in_review("review_skip")),
    "action review_start": (REVIEWERS, work.in_review("review_start", work.reply_proposed, **option("bot-0"))),
    "action review_unskip": (REVIEWERS, in_home(RAVI, "review_unskip", work.skipped)),
    "action review_undo": ("tDt t ..t.", in_home(RAVI, "review_undo", work.decided)),
    "action queue_filter": (REVIEWERS, in_home(RAVI, "queue_filter", **option("escalated"))),
    "action queue_channels": (REVIEWERS, in_home(RAVI, "queue_channels", selected_conversations=[SUPPORT])),
    "action queue_more": (REVIEWERS, in_home(RAVI, "queue_more", work.long_queue)),
    "action queue_back": (REVIEWERS, in_home(RAVI, "queue_back", work.second_page)),
    # administering
    "action promote_version": (ADMINS_ONLY, in_card("promote_version")),
    "action hold_version": (ADMINS_ONLY, in_card("hold_version")),
    "action ^version_step promote": (ADMINS_ONLY, in_home(MEI, "version_step_promote", Stage.card)),
    "action ^version_step roll back": (ADMINS_ONLY, in_home(MEI, "version_step_roll_back", work.promoted)),
    "action ^version_step try": (ADMINS_ONLY, in_home(MEI, "version_step_try", Stage.card)),
    "action ^version_step canary": (ADMINS_ONLY, in_home(MEI, "version_step_canary", Stage.card)),
    "action ^version_step stop canary": (ADMINS_ONLY, in_home(MEI, "version_step_stop_canary", work.canary_runs)),
    "action ^version_step discard": (ADMINS_ONLY, in_home(MEI, "version_step_discard", Stage.card)),
    "action stop_trial": (ADMINS_ONLY, in_home(MEI, "stop_trial", work.on_trial)),
    "action run_night": (ADMINS_ONLY, in_home(MEI, "run_night")),
    "action cancel_night": (ADMINS_ONLY, in_home(MEI, "cancel_night", work.night_asked_for)),
    "action choose_channel": (ADMINS_ONLY, in_home(MEI, "choose_channel")),
    "action change_channel": (ADMINS_ONLY, in_home(MEI, "change_channel", work.channel_known)),
    "action change_role": (ADMINS_ONLY, in_home(MEI, "change_role")),
    "action show_charts": (ADMINS_ONLY, in_home(MEI, "show_charts")),
    **{f"view {name}": (ADMINS_ONLY, scene) for name, scene in work.ADMIN_VIEWS.items()},
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
    answer = await deed(Actor(stage.workspace, identity))
    await quiet(stage.bot)
    return before.effect_of(snapshot(stage.bot, stage.workspace), answer).value


async def played(stage: Stage, scene: Scene, row: str) -> dict[str, str]:
    """A row as it really is: those who may not act first, on one stage; then each of the others on a fresh one."""
    found = {}
    deed = await scene(stage)
    await quiet(stage.bot)
    for identity, letter in sorted(identities(row), key=lambda pair: pair[1] == "D"):
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


async def test_stop_is_for_people_only(stage: Stage) -> None:
    stage.model.gate.clear()
    ts = await stage.ana.post(SUPPORT, "@nightschool Tell me everything")
    writing = await stage.ana.wait_for_message(lambda said: said.get("bot_id") and said.get("text"))
    stop = {"channel": SUPPORT, "thread_ts": ts, "streaming_message_ts": [writing["ts"]]}
    for identity in (Identity.DEACTIVATED, Identity.OTHER_BOT, Identity.STRANGER, Identity.EMPTY):
        await Actor(stage.workspace, identity).event("agent_session_stopped", **stop)
    await until(lambda: not stage.bot.services.inbox._working or len(stage.bot.services.inbox._working) == 1)
    assert stage.bot.services.running.holds(rows(stage.bot, Answer)[0].event_id)
    await Actor(stage.workspace, Identity.GUEST).event("agent_session_stopped", **stop)
    await recorded(stage.bot, DeliveryState.STOPPED)


async def test_a_deactivation_holds_from_the_next_click_on(stage: Stage) -> None:
    deed = await people.vote(stage)
    assert await effect(stage, deed, Identity.ASKER) == "D"
    await switch(stage.workspace, "person", id=ANA, deleted=True)
    await until(lambda: ANA not in stage.bot.services.identities)
    other = await work.in_card("promote_version")(stage)
    assert [await effect(stage, each, Identity.ASKER) for each in (deed, other)] == [".", "."]


@pytest.fixture
def open_settings(bot_settings: Settings) -> Settings:
    return bot_settings.model_copy(update={"answer_other_teams": True})


async def test_another_team_may_ask_and_vote_where_the_settings_allow_it_and_never_more(
    open_settings: Settings, sqlite_store: Store, workspace: Running, model: ScriptedModel, tmp_path: Path,
    ana: Person, ravi: Person, mei: Person,
) -> None:  # fmt: skip
    async with running_bot(open_settings, sqlite_store) as bot:
        stage = Stage(bot, workspace, model, tmp_path, ana, ravi, mei)
        scenes = {
            "ask": message("app_mention", SUPPORT, f"<@{BOT_USER}> When?"),
            "vote": people.vote,
            "review": in_home(RAVI, "review_answer", Stage.answer),
            "decide": work.REVIEW,
            "promote": in_card("promote_version"),
        }
        found = {name: await effect(stage, await scene(stage), Identity.STRANGER) for name, scene in scenes.items()}
    assert found == {"ask": "D", "vote": "D", "review": "t", "decide": "t", "promote": "t"}
