"""Scenes of reviewing and of administering."""

from collections.abc import Awaitable, Callable
from typing import Any

from store import channels, trials
from store.tables import Channel
from tests.bot.effects import quiet
from tests.bot.scenes import Deed, Stage, click_on, option, submission
from tests.bot.scenes_of_people import Scene
from tests.fixtures_workspace import MEI, RAVI, SUPPORT, TOM

Json = dict[str, Any]
Before = Callable[[Stage], Awaitable[Any]]


async def nothing(stage: Stage) -> None:
    """Nothing has to be there."""


def in_card(action_id: str) -> Scene:
    async def scene(stage: Stage) -> Deed:
        return click_on(await stage.card(), action_id)

    return scene


def in_home(person_id: str, action_id: str, before: Before = nothing) -> Scene:
    async def scene(stage: Stage) -> Deed:
        await before(stage)
        return click_on(await stage.home(person_id), action_id)

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


async def channel_known(stage: Stage) -> None:
    """A channel has settings of its own."""
    settings = Channel(team_id="T0LOCAL0001", channel_id=SUPPORT, persona="Be brief.")
    await stage.bot.store.write(channels.save, settings, MEI)


ADMIN_VIEWS = {
    "channel_settings": in_modal(MEI, "change_channel", channel_known, persona="Be kind."),
    "choose_channel": in_modal(MEI, "choose_channel", channel={"selected_conversation": SUPPORT}),
    "role": in_modal(MEI, "change_role", person={"selected_user": TOM}, role=option("reviewer")),
    "version_step": in_modal(MEI, "version_step_promote", Stage.card, note="It is better."),
}
REVIEW = in_modal(RAVI, "review_answer", Stage.answer, verdict=option("accepted"))
