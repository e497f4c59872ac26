"""Socket Mode: hello, acknowledgement, redelivery, several sockets and disconnects."""

import asyncio
import time
from pathlib import Path
from typing import Any

import aiohttp

from deploy.workspace.server import Running, running
from deploy.workspace.socket_mode import SOCKETS_LIMIT
from deploy.workspace.workspace import Timing
from tests.fixtures_workspace import ANA, SUPPORT, Person, default_workspace
from tests.workspace.conftest import acknowledge, socket

IMPATIENT = Timing(ack_s=0.2, retry_delays_s=(0.0, 0.1, 0.1))

Json = dict[str, Any]


async def test_an_event_without_acknowledgement_comes_again_with_its_id(tmp_path: Path) -> None:
    async with (
        running(default_workspace(tmp_path, IMPATIENT)) as workspace,
        socket(workspace) as connection,
        Person(workspace, ANA) as ana,
    ):
        await ana.post(SUPPORT, "hello")
        envelopes = [await connection.receive_json(timeout=3) for _ in range(4)]
        assert len({each["payload"]["event_id"] for each in envelopes}) == 1
        assert len({each["envelope_id"] for each in envelopes}) == 4
        assert [each["retry_attempt"] for each in envelopes] == [0, 1, 2, 3]
        assert [each["retry_reason"] for each in envelopes] == ["", "timeout", "timeout", "timeout"]
        async with asyncio.timeout(2):
            while not workspace.workspace.courier.failed:
                await asyncio.sleep(0.02)


async def test_an_acknowledged_event_does_not_come_again(tmp_path: Path) -> None:
    async with (
        running(default_workspace(tmp_path, IMPATIENT)) as workspace,
        socket(workspace) as connection,
        Person(workspace, ANA) as ana,
    ):
        await ana.post(SUPPORT, "hello")
        await acknowledge(connection, await connection.receive_json(timeout=3))
        await ana.post(SUPPORT, "second")
        following = await connection.receive_json(timeout=3)
        assert following["payload"]["event"]["text"] == "second"


async def test_an_event_sent_while_nobody_is_connected_comes_as_a_retry(workspace: Running) -> None:
    async with Person(workspace, ANA) as ana:
        await ana.post(SUPPORT, "is anybody there?")
        await asyncio.sleep(0.05)
        async with socket(workspace) as connection:
            envelope = await connection.receive_json(timeout=3)
            await acknowledge(connection, envelope)
            assert envelope["payload"]["event"]["text"] == "is anybody there?"
            assert envelope["retry_attempt"] >= 1
            assert envelope["retry_reason"] == "connection_failed"


async def test_each_envelope_goes_to_one_of_several_sockets(workspace: Running) -> None:
    async with socket(workspace) as one, socket(workspace) as other, Person(workspace, ANA) as ana:
        for number in range(4):
            await ana.post(SUPPORT, str(number))
        texts = {}
        for name, connection in (("one", one), ("other", other)):
            got = [await connection.receive_json(timeout=3) for _ in range(2)]
            for envelope in got:
                await acknowledge(connection, envelope)
            texts[name] = {envelope["payload"]["event"]["text"] for envelope in got}
        assert texts["one"] | texts["other"] == {"0", "1", "2", "3"}
        assert not texts["one"] & texts["other"]


async def test_hello_says_what_node_needs_and_a_ticket_works_once(workspace: Running) -> None:
    ticket = workspace.workspace.sockets.ticket()
    address = f"{workspace.url}/link/?ticket={ticket}&app_id=A"
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(address) as connection:
            hello = await connection.receive_json(timeout=3)
            assert hello["type"] == "hello"
            assert hello["num_connections"] == 1
            assert hello["connection_info"] == {"app_id": workspace.workspace.seed.app_id}
            assert hello["debug_info"]["approximate_connection_time"] > 0
        async with session.get(address) as again:
            assert again.status == 401


async def test_an_eleventh_socket_is_sent_away(workspace: Running) -> None:
    async with aiohttp.ClientSession() as session:
        kept_open = []
        for number in range(SOCKETS_LIMIT + 1):
            address = f"{workspace.url}/link/?ticket={workspace.workspace.sockets.ticket()}"
            kept_open.append(await session.ws_connect(address))
            first = await kept_open[-1].receive_json(timeout=3)
            assert first["type"] == ("hello" if number < SOCKETS_LIMIT else "disconnect")
        assert first["reason"] == "too_many_websockets"


async def test_a_refresh_asks_to_come_back_and_the_page_sees_it(workspace: Running) -> None:
    async with Person(workspace, ANA) as ana:
        async with socket(workspace) as connection:
            await ana.wait_for(lambda event: event["type"] == "app" and event["connected"])
            ana.forget()
            await workspace.workspace.sockets.disconnect("refresh_requested")
            assert (await connection.receive_json(timeout=3))["reason"] == "refresh_requested"
        await ana.wait_for(lambda event: event["type"] == "app" and not event["connected"])


async def test_junk_on_the_socket_is_ignored(workspace: Running) -> None:
    async with socket(workspace) as connection, Person(workspace, ANA) as ana:
        for junk in ("not json", "[1]", "{}", '{"envelope_id": 5}'):
            await connection.send_str(junk)
        await ana.post(SUPPORT, "still there?")
        envelope = await connection.receive_json(timeout=3)
        await acknowledge(connection, envelope)
        assert envelope["payload"]["event"]["text"] == "still there?"


async def test_many_events_at_once_each_arrive_once(workspace: Running) -> None:
    async with socket(workspace) as connection, Person(workspace, ANA) as ana:
        started = time.monotonic()
        await asyncio.gather(*(ana.post(SUPPORT, f"number {number}") for number in range(200)))
        texts = []
        for _ in range(200):
            envelope = await connection.receive_json(timeout=3)
            await acknowledge(connection, envelope)
            texts.append(envelope["payload"]["event"]["text"])
        assert sorted(texts) == sorted(f"number {number}" for number in range(200))
        timestamps = [message["ts"] for message in await ana.messages(SUPPORT)]
        assert len(set(timestamps)) == 200
        assert timestamps == sorted(timestamps)
        assert time.monotonic() - started < 20
