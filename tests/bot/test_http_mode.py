"""HTTP mode: the product's own app behind its web server, called by the local workspace with signed requests."""

import asyncio
import json
import random
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
import pytest
from pydantic import SecretStr
from sqlmodel import select

from bot import app as bot_app
from bot.blocks.feedback import VOTE_ACTION
from bot.inbox import Inbox
from deploy.workspace.http_delivery import HttpDelivery, signature
from deploy.workspace.server import Running, running
from store.errors import BadInput
from store.session import Store
from store.settings import ServingSettings, Settings
from store.tables import Answer, InboxEvent, Vote
from store.words import DeliveryState, InboxState
from tests.bot.model_server import ScriptedModel
from tests.bot.test_asking import Json, answer_to
from tests.bot.test_feedback import modal_of
from tests.bot.test_inbox import until
from tests.fixtures_workspace import ANA, SUPPORT, Person, default_workspace


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
async def calling(tmp_path: Path) -> AsyncIterator[Running]:
    """A workspace that calls the app over HTTP."""
    url = f"http://127.0.0.1:{free_port()}/slack/events"
    async with running(default_workspace(tmp_path / "workspace", request_url=url)) as server:
        yield server


@pytest.fixture
def http_settings(settings: Settings, calling: Running, model: ScriptedModel) -> Settings:
    """Settings of a bot in HTTP mode: a signing secret, a port, no app-level token."""
    return settings.model_copy(
        update={
            "slack_bot_token": SecretStr(calling.bot_token),
            "slack_signing_secret": SecretStr(calling.workspace.credentials.signing_secret),
            "slack_api_url": calling.api_url,
            "http_port": int(request_url(calling).split(":")[2].split("/")[0]),
            "first_use_notices": False,
            "serving": ServingSettings(urls=[model.url]),
        }
    )


def request_url(calling: Running) -> str:
    transport = calling.workspace.courier.transport
    assert isinstance(transport, HttpDelivery)
    return transport.request_url


@pytest.fixture
async def listening(http_settings: Settings) -> AsyncIterator[Store]:
    """The whole bot as `nightschool bot` runs it; its store, to look into."""
    bot = asyncio.create_task(bot_app._run(http_settings))
    await until(lambda: bot.done() or http_settings.bot_ready_file.exists())
    store = Store.of(http_settings)
    yield store
    store.close()
    bot.cancel()
    with suppress(asyncio.CancelledError):
        await bot


def stored(store: Store, table: type) -> list:
    with store.reading() as session:
        return list(session.exec(select(table)))


async def send(calling: Running, body: bytes, **headers: str) -> int:
    address = request_url(calling)
    async with aiohttp.ClientSession() as session, session.post(address, data=body, headers=headers) as answer:
        return answer.status


def signed(secret: str, body: bytes, at: float) -> dict[str, str]:
    timestamp = str(int(at))
    return {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": signature(secret, timestamp, body)}


async def test_a_question_a_vote_and_a_command_work_over_http(listening: Store, calling: Running) -> None:
    async with Person(calling, ANA) as ana:
        ts = await ana.post(SUPPORT, "@nightschool how?")
        message = await answer_to(ana, ts)
        assert message["text"] == "base answers: how?"
        await until(lambda: [answer.state for answer in stored(listening, Answer)] == [DeliveryState.DELIVERED])
        assert (await ana.click(message, VOTE_ACTION, "down:1"))["ok"]
        assert (await ana.submit(await modal_of(ana), {"reason": reason("wrong"), "words": "no"}))["closed"]
        await ana.do("command", channel=SUPPORT, command="/nightschool", text="help")
        await ana.wait_for_message(lambda message: "/nightschool privacy" in message["text"])
    (vote,) = stored(listening, Vote)
    assert vote.comment == "no"
    assert {event.state for event in stored(listening, InboxEvent)} == {InboxState.DONE}


def reason(value: str) -> Json:
    return {"selected_option": {"value": value, "text": {"type": "plain_text", "text": value}}}


EVENT = {
    "type": "event_callback", "team_id": "T0LOCAL0001", "event_id": "Ev1",
    "event": {"type": "app_home_opened", "user": ANA, "tab": "messages"},
}  # fmt: skip


async def test_only_what_slack_signed_lately_is_taken(listening: Store, calling: Running) -> None:
    secret, body = calling.workspace.credentials.signing_secret, json.dumps(EVENT).encode()
    kind = {"Content-Type": "application/json"}
    now = time.time()
    forged = [
        {},
        signed("another", body, now),
        signed(secret, body, now - 3600),
        signed(secret, body, now + 3600),
        signed(secret, body + b" ", now),
        {**signed(secret, body, now), "X-Slack-Signature": "v0="},
        {**signed(secret, body, now), "X-Slack-Request-Timestamp": "soon"},
    ]
    for headers in forged:
        assert await send(calling, body, **kind, **headers) == 401, headers
    assert await send(calling, b"\xff\xfe", **kind) == 401
    assert stored(listening, InboxEvent) == []
    assert await send(calling, body, **kind, **signed(secret, body, now)) == 200
    assert [event.id for event in stored(listening, InboxEvent)] == ["Ev1"]


MUTATIONS = 2000
NESTED = b"[" * 100_000
BODIES = [b"", b"[]", b"null", b"{", NESTED, b"\xff\xfe", b'{"type": []}', b"payload=%7B", b"ssl_check=1&a=b"]


def mutated(secret: str, body: bytes, chosen: random.Random) -> tuple[bytes, dict[str, str]]:
    """A request that Slack did not send: its body, its signature or its timestamp is another."""
    at = time.time()
    headers = signed(secret, body, at)
    sign, stamp = "X-Slack-Signature", "X-Slack-Request-Timestamp"
    position = chosen.randrange(len(body))
    flipped = body[:position] + bytes([body[position] ^ (1 << chosen.randrange(7))]) + body[position + 1 :]
    forged: list[tuple[bytes, dict[str, str]]] = [
        (flipped, headers),
        (chosen.choice(BODIES), headers),
        (chosen.choice(BODIES), {}),
        (body, {**headers, sign: headers[sign][: chosen.randrange(len(headers[sign]))]}),
        (body, {**headers, sign: headers[sign].upper()}),
        (body, {**headers, sign: "v0=" + "é" * 64}),
        (body, {**headers, stamp: chosen.choice(["", "soon", "-1", "9" * 400, "1e9", "²"])}),
        (body, {stamp: headers[stamp]}),
        (body, signed(secret, body, at + chosen.choice([-1, 1]) * chosen.uniform(400, 1e6))),
        (body, signed(secret[::-1], body, at)),
    ]
    return chosen.choice(forged)


async def test_two_thousand_forged_requests_do_nothing_and_a_good_one_does_once(
    listening: Store, calling: Running, caplog: pytest.LogCaptureFixture
) -> None:
    secret, body = calling.workspace.credentials.signing_secret, json.dumps(EVENT).encode()
    chosen, statuses = random.Random(13), Counter[int]()
    async with aiohttp.ClientSession() as session:
        for number in range(MUTATIONS):
            sent, headers = mutated(secret, body, chosen)
            kind = {"Content-Type": chosen.choice(["application/json", "application/x-www-form-urlencoded"])}
            async with session.post(request_url(calling), data=sent, headers={**kind, **headers}) as answer:
                statuses[answer.status] += 1
                assert answer.status in ((200, 401) if sent.startswith(b"ssl_check=1") else (401,)), f"number {number}"
        assert stored(listening, InboxEvent) == []
        assert "Traceback" not in caplog.text
        good = {"Content-Type": "application/json", **signed(secret, body, time.time())}
        for _ in range(20):
            async with session.post(request_url(calling), data=body, headers=good) as answer:
                assert answer.status == 200
    print(f"0 of {MUTATIONS} forged requests did anything: {dict(statuses)}; one of 20 equal good ones did (seed 13)")
    assert [event.id for event in stored(listening, InboxEvent)] == ["Ev1"]


async def test_a_body_that_claims_to_be_a_check_of_certificates_does_nothing(
    listening: Store, calling: Running
) -> None:
    # Bolt answers such a request without asking for a signature, so it must never reach a listener or the inbox.
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    payload = {"ssl_check": "1", "token": "t", "command": "/ask", "text": "how?", "user_id": ANA, "team_id": "T"}
    await send(calling, urlencode(payload).encode(), **form)
    await send(calling, json.dumps({**EVENT, "ssl_check": "1"}).encode(), **{"Content-Type": "application/json"})
    assert stored(listening, InboxEvent) == []


async def test_what_cannot_be_stored_is_not_acknowledged_and_comes_again(
    listening: Store, calling: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, keep = [2], Inbox.keep

    async def failing(self: Inbox, arrival: object) -> bool:
        if broken[0]:
            broken[0] -= 1
            raise OSError("the disk is full")
        return await keep(self, arrival)  # type: ignore[arg-type]

    monkeypatch.setattr(Inbox, "keep", failing)
    async with Person(calling, ANA) as ana:
        message = await answer_to(ana, await ana.post(ana.dm, "how?"))
    assert message["text"] == "base answers: how?"
    assert broken == [0]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"slack_signing_secret": None}, "needs the signing secret"),
        ({"slack_signing_secret": SecretStr("")}, "needs the signing secret"),
        ({"http_host": "192.0.2.1"}, "cannot listen"),
    ],
)
async def test_a_start_without_secret_or_port_says_what_to_do(
    http_settings: Settings, changes: dict[str, object], said: str
) -> None:
    with pytest.raises(BadInput, match=said):
        await bot_app._run(http_settings.model_copy(update=changes))
