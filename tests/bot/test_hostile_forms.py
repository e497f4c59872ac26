"""Hostile and odd texts typed into every form, over the wire: stored as typed, and shown without a call or a trap."""

import json
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import select

from bot.blocks.channel import PERSONA_CHARACTERS
from bot.blocks.feedback import WORDS_CHARACTERS
from bot.blocks.step import NOTE_CHARACTERS
from deploy.workspace.server import Running
from store.storable import storable
from store.tables import Adapter, Channel, Vote
from store.words import AdapterState
from tests.bot.conftest import RunningBot
from tests.bot.effects import quiet
from tests.bot.hostile import corpus
from tests.bot.model_server import ScriptedModel
from tests.bot.oracle import problems_of_message, problems_of_view
from tests.bot.scenes import Stage, option
from tests.bot.scenes_of_people import thumb
from tests.bot.scenes_of_work import channel_known
from tests.bot.test_asking import rows
from tests.fixtures_workspace import ANA, MEI, Person

Json = dict[str, Any]
Form = Callable[[Stage, str], Awaitable[str]]
"""Types a text into a form and submits it; what is stored of it then."""

EVERY = 4
"""Every fourth text of the corpus goes through each form; all of them go through each builder elsewhere."""


def typed(longest: int) -> list[str]:
    """Texts that a person can submit in a field of that length: not empty, and not too long for it."""
    return [text for text in corpus()[::EVERY] if len(text) <= longest and storable(text).strip()]


async def submitted(stage: Stage, person: Person, view: Json, **filled: Any) -> None:
    answer = await person.submit(view, filled)
    assert answer["ok"], answer
    assert "errors" not in answer, answer
    await quiet(stage.bot)


async def vote_words(stage: Stage, text: str) -> str:
    answer = stage.notes.get("answer") or await stage.answer()
    stage.notes["answer"] = answer
    view = await stage.modal(ANA, lambda ana: ana.click(answer, "vote", thumb(answer, "negative_button")))
    await submitted(stage, stage.ana, view, reason=option("wrong"), words=text)
    return str(rows(stage.bot, Vote)[-1].comment)


async def persona(stage: Stage, text: str) -> str:
    await channel_known(stage)
    home = await stage.home(MEI)
    view = await stage.modal(MEI, lambda mei: mei.click(home, "change_channel"))
    answering, uses = option("mentions"), {"selected_options": []}
    await submitted(stage, stage.mei, view, persona=text, answering=answering, uses=uses, confidence="0")
    with stage.bot.store.reading() as session:
        return str(session.exec(select(Channel)).one().persona)


async def version_note(stage: Stage, text: str) -> str:
    if not rows(stage.bot, Adapter):
        await stage.card()
    home = await stage.home(MEI)
    view = await stage.modal(MEI, lambda mei: mei.click(home, "version_step_discard"))
    await submitted(stage, stage.mei, view, note=text)
    await stage.home(MEI)
    note = str(rows(stage.bot, Adapter)[0].note)
    with stage.bot.store.writing() as session:
        session.exec(update(Adapter).values(state=AdapterState.CANDIDATE, discarded_by="", note=""))
    return note


FORMS: dict[str, tuple[Form, int]] = {
    "why an answer was bad": (vote_words, WORDS_CHARACTERS),
    "how to sound in a channel": (persona, PERSONA_CHARACTERS),
    "a note on a version": (version_note, NOTE_CHARACTERS),
}


@pytest.fixture
def stage(
    bot: RunningBot, workspace: Running, model: ScriptedModel, tmp_path: Path, ana: Person, ravi: Person, mei: Person
) -> Stage:
    return Stage(bot, workspace, model, tmp_path, ana, ravi, mei)


def shown(workspace: Running) -> list[str]:
    """Everything wrong with what stands in channels and Home tabs now."""
    storage = workspace.workspace.storage._db
    messages = [json.loads(body) for (body,) in storage.execute("SELECT body FROM message").fetchall()]
    homes = [json.loads(body) for (body,) in storage.execute("SELECT body FROM record WHERE kind = 'home'").fetchall()]
    said = [each for each in messages if each.get("bot_id")]
    found = [problem for each in said for problem in problems_of_message(each.get("blocks", []), each["text"])]
    return [*found, *(problem for home in homes for problem in problems_of_view(_as_sent(home)))]


def _as_sent(home: Json) -> Json:
    return {"type": "home", "blocks": home["blocks"]}


@pytest.mark.parametrize("name", FORMS)
async def test_whatever_is_typed_into_a_form_is_stored_and_shown_safely(
    stage: Stage, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    form, longest = FORMS[name]
    caplog.set_level(logging.WARNING)
    kept = {text: await form(stage, text) for text in typed(longest)}
    assert {text: storable(text).strip() for text in kept} == kept
    assert len(kept) >= 20
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []
    assert shown(stage.workspace) == []
