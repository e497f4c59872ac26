import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from slack_bolt.request.async_request import AsyncBoltRequest
from sqlmodel import Session, select

from bot import app as bot_app
from bot.inbox import Inbox, arrival_of
from deploy.workspace.server import Running
from store import inbox
from store.inbox import Arrival
from store.session import Store
from store.settings import Settings
from store.tables import Answer, InboxEvent, Ticket
from store.words import DeliveryState, InboxState
from tests.bot.conftest import RunningBot
from tests.bot.model_server import ScriptedModel
from tests.bot.test_asking import answer_to, recorded, rows
from tests.fixtures_workspace import ANA, SUPPORT, Person

Json = dict[str, Any]


def event_body(event: Json, event_id: str = "Ev1") -> Json:
    return {"type": "event_callback", "team_id": "T0LOCAL0001", "event_id": event_id, "event": event}


def message_event(ts: str, text: str = "hi", **fields: Any) -> Json:
    return {"type": "message", "channel": "C1", "ts": ts, "user": ANA, "text": text, **fields}


def test_a_mention_and_its_message_have_one_key_and_other_events_their_own() -> None:
    mention = arrival_of(event_body({**message_event("1.1"), "type": "app_mention"}, "EvA"))
    message = arrival_of(event_body(message_event("1.1"), "EvB"))
    edited = arrival_of(event_body({**message_event("1.1"), "type": "app_mention", "edited": {"ts": "2.2"}}))
    changed = arrival_of(event_body({"type": "message", "subtype": "message_changed", "channel": "C1"}, "EvC"))
    assert mention is not None
    assert message is not None
    assert edited is not None
    assert changed is not None
    assert mention.id == message.id == "post/T0LOCAL0001/C1/1.1"
    assert edited.id != mention.id
    assert changed.id == "EvC"


@pytest.mark.parametrize(
    "event",
    [
        message_event("1.1", bot_id="B1"),
        message_event("1.1", subtype="bot_message"),
        message_event("1.1", subtype="channel_join"),
        message_event("1.1", subtype="channel_topic"),
        {"type": "message", "subtype": "message_changed", "channel": "C1", "message": {"bot_id": "B1"}},
        {"type": "message", "subtype": "message_deleted", "channel": "C1", "previous_message": {"bot_id": "B1"}},
        {**message_event("1.1", bot_id="B1"), "type": "app_mention"},
    ],
)
def test_echoes_of_bots_and_notices_of_slack_are_not_kept(event: Json) -> None:
    assert arrival_of(event_body(event)) is None


@asynccontextmanager
async def working(box: Inbox) -> AsyncIterator[None]:
    worker = asyncio.create_task(box.work())
    try:
        yield
    finally:
        await box.drain(1.0)
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)


async def until(condition: Any, seconds: float = 10.0) -> None:
    for _ in range(int(seconds / 0.02)):
        if condition():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not come true in time")


def states(store: Store) -> list[InboxState]:
    with store.reading() as session:
        return list(session.exec(select(InboxEvent.state)))


async def test_a_thousand_deliveries_of_one_event_are_done_once(store: Store) -> None:
    done: list[str] = []
    box = Inbox(store)

    async def do(event: InboxEvent) -> None:
        done.append(event.id)

    box.register("event", do)
    async with working(box):
        kept = await asyncio.gather(*(box.keep(Arrival("Ev1", "event", {})) for _ in range(1000)))
        await until(lambda: states(store) == [InboxState.DONE])
    assert sum(kept) == 1
    assert done == ["Ev1"]


async def test_five_hundred_events_by_two_workers_are_each_done_once(store: Store) -> None:
    done: list[str] = []

    async def do(event: InboxEvent) -> None:
        await asyncio.sleep(0.001)
        done.append(event.id)

    one, two = Inbox(store, at_once=32), Inbox(store, at_once=32)
    for box in (one, two):
        box.register("event", do)
    async with working(one), working(two):
        await asyncio.gather(
            *(box.keep(Arrival(f"Ev{number}", "event", {})) for number in range(500) for box in (one, two))
        )
        await until(lambda: len(done) >= 500, 30.0)
        await until(lambda: set(states(store)) == {InboxState.DONE})
    assert sorted(done) == sorted(f"Ev{number}" for number in range(500))


async def test_what_fails_is_tried_again_and_given_up_in_the_end(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "LONGEST_BACKOFF_S", 0.0)
    tries: list[int] = []

    async def do(event: InboxEvent) -> None:
        tries.append(event.attempts)
        if event.id == "never" or event.attempts < 3:
            raise ConnectionError("not yet")

    box = Inbox(sqlite_store)
    box.register("event", do)
    monkeypatch.setattr("bot.inbox.LOOK_EVERY_S", 0.02)
    async with working(box):
        await box.keep(Arrival("third time", "event", {}))
        await until(lambda: states(sqlite_store) == [InboxState.DONE])
        assert tries == [1, 2, 3]
        await box.keep(Arrival("never", "event", {}))
        await until(lambda: InboxState.FAILED in states(sqlite_store))
    with sqlite_store.reading() as session:
        assert "not yet" in session.get_one(InboxEvent, "never").error


async def test_a_claim_that_runs_out_is_taken_over(store: Store) -> None:
    dead = inbox.Claimant("elsewhere:1:x", lease_s=0.2)
    with store.writing() as session:
        inbox.keep(session, [Arrival("Ev1", "event", {})], dead)
    taken: list[int] = []

    async def do(event: InboxEvent) -> None:
        taken.append(event.attempts)

    box = Inbox(store)
    box.register("event", do)
    async with working(box):
        await until(lambda: states(store) == [InboxState.DONE])
    assert taken == [2]


async def test_long_work_keeps_its_claim(store: Store) -> None:
    started: list[str] = []

    async def do(event: InboxEvent) -> None:
        started.append(event.id)
        await asyncio.sleep(1.0)

    one, two = Inbox(store, lease_s=0.4), Inbox(store, lease_s=0.4)
    for box in (one, two):
        box.register("event", do)
    async with working(two), working(one):
        await one.keep(Arrival("Ev1", "event", {}))
        await until(lambda: states(store) == [InboxState.DONE])
    assert started == ["Ev1"]


async def test_a_shutdown_hands_back_what_did_not_end(sqlite_store: Store) -> None:
    box = Inbox(sqlite_store)

    async def do(_: InboxEvent) -> None:
        await asyncio.sleep(60)

    box.register("event", do)
    worker = asyncio.create_task(box.work())
    await box.keep(Arrival("Ev1", "event", {}))
    await asyncio.sleep(0.05)
    await box.drain(0.05)
    worker.cancel()
    assert states(sqlite_store) == [InboxState.RECEIVED]


async def test_what_cannot_be_stored_is_not_acknowledged(bot: RunningBot, monkeypatch: pytest.MonkeyPatch) -> None:
    app = bot_app.create_app(bot.services)
    body = event_body(message_event("5.5"), "Ev5")

    def full(*_: Any) -> None:
        raise OSError("disk full")

    with monkeypatch.context() as broken:
        broken.setattr(inbox, "keep", full)
        refused = await app.async_dispatch(AsyncBoltRequest(body=body, mode="socket_mode"))
    taken = await app.async_dispatch(AsyncBoltRequest(body=body, mode="socket_mode"))
    assert (refused.status, taken.status) == (500, 200)


async def test_an_event_that_could_not_be_stored_comes_again_and_is_answered(
    bot: RunningBot, ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, failures = inbox.keep, [1, 1]

    def sometimes(session: Session, arrivals: Any, claimant: Any) -> Any:
        if failures and arrivals[0].kind == "event":
            failures.pop()
            raise OSError("disk full")
        return real(session, arrivals, claimant)

    monkeypatch.setattr(inbox, "keep", sometimes)
    ts = await ana.post(ana.dm, "still there?")
    await answer_to(ana, ts)
    assert failures in ([], [1])
    assert len(rows(bot, Answer)) == 1


async def test_a_storm_of_one_question_gives_one_ticket_and_one_answer(
    bot: RunningBot, ana: Person, model: ScriptedModel
) -> None:
    app = bot_app.create_app(bot.services)
    ts = await ana.post(SUPPORT, "@nightschool once?")
    for number in range(100):
        event = message_event(ts, "<@U0NIGHT0001> once?", channel=SUPPORT, channel_type="channel")
        kind = "app_mention" if number % 2 else "message"
        body = event_body({**event, "type": kind}, f"EvStorm{number % 7}")
        headers = {"x-slack-retry-num": str(number % 4)}
        response = await app.async_dispatch(AsyncBoltRequest(body=body, mode="socket_mode", headers=headers))
        assert response.status == 200
    await answer_to(ana, ts)
    await recorded(bot)
    await asyncio.sleep(0.3)
    assert (len(rows(bot, Ticket)), len(rows(bot, Answer)), len(model.requests)) == (1, 1, 1)
    assert len([line for line in await ana.messages(SUPPORT, ts) if line.get("bot_id")]) == 1


class BotProcess:
    """A bot in a process of its own, which can be killed like any other."""

    def __init__(self, settings: Settings, workspace: Running, model: ScriptedModel) -> None:
        self.environment = {
            **os.environ,
            "NIGHTSCHOOL_HOME": str(settings.home),
            "NIGHTSCHOOL_SERVING__URLS": f'["{model.url}"]',
            "SLACK_API_URL": workspace.api_url,
            "SLACK_BOT_TOKEN": workspace.bot_token,
            "SLACK_APP_TOKEN": workspace.app_token,
        }
        self.ready = settings.bot_ready_file

    async def start(self) -> asyncio.subprocess.Process:
        code = "from bot.app import run_bot; from store.settings import load_settings; run_bot(load_settings())"
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, env=self.environment)
        await until(lambda: self.ready.exists() and self.ready.read_text() == str(process.pid), 30.0)
        return process


@pytest.mark.parametrize("moment", ["before the first word", "while streaming"])
async def test_a_killed_bot_s_question_is_answered_once_by_the_next(
    bot_settings: Settings, sqlite_store: Store, workspace: Running, ana: Person, model: ScriptedModel, moment: str
) -> None:
    runner = BotProcess(bot_settings, workspace, model)
    first = await runner.start()
    try:
        if moment == "while streaming":
            model.gate.clear()
        else:
            model.reply = lambda _: ""
            model.gate.clear()
        ts = await ana.post(SUPPORT, "@nightschool still there?")
        await until(lambda: len(model.requests) == 1)
        if moment == "while streaming":
            await ana.wait_for_message(lambda message: message.get("bot_id") and message.get("text"))
        await asyncio.sleep(0.3)
    finally:
        first.send_signal(signal.SIGKILL)
        await first.wait()
    model.gate.set()
    model.reply = lambda body: f"again: {body['messages'][-1]['content']}"
    second = await runner.start()
    try:
        message = await answer_to(ana, ts)
        assert "again: still there?" in str(message["blocks"])
        await asyncio.sleep(0.5)
        told = await ana.messages(SUPPORT, ts)
        said = [line for line in told if line.get("bot_id") and not line.get("is_ephemeral")]
        assert len(said) == 1
    finally:
        second.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(second.wait(), 10) == 0
    with sqlite_store.reading() as session:
        (answer,) = session.exec(select(Answer)).all()
    assert answer.state == DeliveryState.DELIVERED
