"""What stands on the stage before somebody acts: an answer, a card, a Home tab, an open modal."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.workspace.elements import action as action_of
from deploy.workspace.elements import find, state, walk
from deploy.workspace.server import Running
from tests.bot.cast import Actor, Identity
from tests.bot.conftest import RunningBot
from tests.bot.effects import quiet
from tests.bot.model_server import ScriptedModel
from tests.bot.nights import finished_night
from tests.bot.test_asking import answer_to
from tests.fixtures_workspace import ADMINS, ANA, MEI, RAVI, SUPPORT, Person

Json = dict[str, Any]
Deed = Callable[[Actor], Awaitable[Any]]
"""What one of the cast does on the stage."""


@dataclass
class Stage:
    """The bot, the workspace and the three who prepare things."""

    bot: RunningBot
    workspace: Running
    model: ScriptedModel
    folder: Path
    ana: Person
    ravi: Person
    mei: Person
    nights: int = 0
    questions: int = 0
    notes: Json = field(default_factory=dict)

    def person(self, person_id: str) -> Person:
        return {ANA: self.ana, RAVI: self.ravi, MEI: self.mei}[person_id]

    async def answer(self) -> Json:
        """A fresh answer to a question of Ana's in #support, as the message that stands there."""
        self.questions += 1
        text = f"@nightschool How does the machine number {self.questions} in hall {self.questions * 7} work?"
        ts = await self.ana.post(SUPPORT, text)
        answer = await answer_to(self.ana, ts)
        await quiet(self.bot)
        return {**answer, "channel": SUPPORT}

    async def card(self) -> Json:
        """The card of a night that has just finished."""
        self.nights += 1
        finished_night(self.bot.store, self.folder / f"chart{self.nights}.png", self.nights)
        await quiet(self.bot)
        cards = [message for message in await self.mei.messages(ADMINS) if "blocks" in message]
        return {**cards[-1], "channel": ADMINS}

    async def home(self, person_id: str) -> Json:
        """Somebody's Home tab as the app has just published it."""
        await quiet(self.bot)
        person = self.person(person_id)
        person.forget()
        await person.open_home()
        view: Json = (await person.wait_for(lambda event: event["type"] == "home"))["view"]
        await quiet(self.bot)
        return view

    async def modal(self, person_id: str, open_it: Callable[[Person], Awaitable[Any]]) -> Json:
        """The modal that a person has after doing what opens it."""
        await open_it(self.person(person_id))
        await quiet(self.bot)
        view = self.workspace.workspace.modals.top(person_id)
        assert view is not None, "no modal opened"
        return view


def click_on(place: Json, action_id: str, **chosen: Any) -> Deed:
    """Use the first element called `action_id` of a message or view, with its real value."""
    placed = next(each for each in walk(place["blocks"]) if each.element["action_id"] == action_id)
    said = action_of(find(place["blocks"], placed.block["block_id"], action_id), chosen, "1.000001")
    return lambda actor: actor.click(place, said)


def submission(view: Json, **filled: Any) -> Deed:
    """Submit a modal: its initial values, over them `filled` by action_id (a text or a value object)."""
    values = state(view["blocks"], {})
    for block_id, fields in values.items():
        for action_id in fields:
            given = filled.get(action_id, filled.get(block_id))
            if given is not None:
                fields[action_id] |= given if isinstance(given, dict) else {"value": given}
    return lambda actor: actor.submit(view, values)


def option(value: str) -> Json:
    """A chosen option of a select or radio group."""
    return {"selected_option": {"value": value, "text": {"type": "plain_text", "text": value}}}


def identities(row: str) -> list[tuple[Identity, str]]:
    """The letters of a table's row, each with its identity."""
    return list(zip(Identity, row.replace(" ", ""), strict=True))
