import asyncio

import pytest

from bot import outbox as bot_outbox
from bot.blocks.content import Content
from bot.outbox import OutboxWorker
from bot.posting import Place, note_metadata, post
from bot.services import Services
from deploy.workspace.faults import Fault
from deploy.workspace.server import Running
from store import outbox
from store.session import Store
from store.tables import OutboxMessage
from store.words import OutboxState
from tests.bot.conftest import RunningBot
from tests.bot.test_asking import rows
from tests.bot.test_inbox import until
from tests.fixtures_workspace import ADMINS, Person


@pytest.fixture(autouse=True)
def plain_notes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kind of message that is only a sentence."""

    async def post_note(services: Services, message: OutboxMessage, again: bool) -> Place:
        text = str(message.payload["text"])
        ts = await bot_outbox.posting.post_once(services, Place(ADMINS), Content(text), message.key, again=again)
        return Place(ADMINS, ts)

    monkeypatch.setitem(bot_outbox.POSTERS, "note", post_note)


async def said(person: Person, text: str) -> int:
    return len([line for line in await person.messages(ADMINS) if line.get("text") == text])


async def test_a_message_is_owed_once(store: Store) -> None:
    owed = await asyncio.gather(*(store.write(outbox.owe, "k", "note", {"text": "x"}) for _ in range(20)))
    assert sum(owed) == 1
    assert len(await store.read(outbox.waiting, 10)) == 1


async def test_what_stands_there_since_a_crash_is_not_posted_again(bot: RunningBot, mei: Person) -> None:
    ts = await post(bot.services.slack, Place(ADMINS), Content("once"), note_metadata("note-1"))
    with bot.store.writing() as session:
        outbox.owe(session, "note-1", "note", {"text": "once"})
        message = outbox.by_key(session, "note-1")
        assert message is not None
        outbox.begin_attempt(session, message.id or 0)
    await until(lambda: rows(bot, OutboxMessage)[0].state == OutboxState.SENT)
    assert rows(bot, OutboxMessage)[0].message_ts == ts
    assert await said(mei, "once") == 1


async def test_what_slack_refuses_is_tried_again_and_then_given_up(
    bot: RunningBot, mei: Person, workspace: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bot_outbox, "LONGEST_PAUSE_S", 0.0)
    monkeypatch.setattr(bot_outbox, "LOOK_EVERY_S", 0.02)
    refusals = [Fault(200, None, "fatal_error") for _ in range(2)]
    workspace.workspace.faults.add("chat.postMessage", *refusals)
    await bot.store.write(outbox.owe, "note-2", "note", {"text": "third time"})
    await until(lambda: rows(bot, OutboxMessage)[0].state == OutboxState.SENT)
    assert rows(bot, OutboxMessage)[0].attempts == 3
    assert await said(mei, "third time") == 1
    workspace.workspace.faults.add("chat.postMessage", *refusals * outbox.MOST_ATTEMPTS)
    await bot.store.write(outbox.owe, "note-3", "note", {"text": "never"})
    await until(lambda: rows(bot, OutboxMessage)[1].state == OutboxState.FAILED)
    assert "fatal_error" in rows(bot, OutboxMessage)[1].error


async def test_of_two_bots_one_posts(bot: RunningBot, mei: Person) -> None:
    other = OutboxWorker(bot.services)
    working = asyncio.create_task(other.work())
    for number in range(10):
        await bot.store.write(outbox.owe, f"note-{number}", "note", {"text": f"note {number}"})
    await until(lambda: {row.state for row in rows(bot, OutboxMessage)} == {OutboxState.SENT})
    working.cancel()
    assert [await said(mei, f"note {number}") for number in range(10)] == [1] * 10
