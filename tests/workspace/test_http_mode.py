"""HTTP mode: the workspace signs its requests, and Bolt's own verification accepts them."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from deploy.workspace.server import Running, running
from tests.fixtures_workspace import ANA, SUPPORT, Person, default_workspace

Json = dict[str, Any]


class Listener:
    """A web server that hands what it gets to Bolt."""

    def __init__(self) -> None:
        self.app: AsyncApp | None = None
        self.requests: list[web.Request] = []
        self.broken = 0

    async def take(self, request: web.Request) -> web.Response:
        self.requests.append(request)
        if self.broken:
            self.broken -= 1
            return web.Response(status=500)
        assert self.app is not None
        return await to_aiohttp_response(await self.app.async_dispatch(await to_bolt_request(request)))


@pytest.fixture
async def listener() -> AsyncIterator[tuple[Listener, str]]:
    listener = Listener()
    server = web.Application()
    server.router.add_post("/slack/events", listener.take)
    runner = web.AppRunner(server)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield listener, f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    await runner.cleanup()


@pytest.fixture
async def signed(listener: tuple[Listener, str], tmp_path: Path) -> AsyncIterator[Running]:
    async with running(default_workspace(tmp_path, request_url=listener[1])) as workspace:
        client = AsyncWebClient(token=workspace.bot_token, base_url=workspace.api_url)
        secret = workspace.workspace.credentials.signing_secret
        listener[0].app = AsyncApp(client=client, signing_secret=secret)
        yield workspace


async def test_events_commands_and_retries_pass_bolts_verification(
    listener: tuple[Listener, str], signed: Running
) -> None:
    app, heard = listener[0].app, []
    assert app is not None

    @app.event("app_mention")
    async def on_mention(event: Json, say: Any) -> None:
        heard.append(event["text"])
        await say("heard", thread_ts=event["ts"])

    @app.event("message")
    async def on_message() -> None: ...

    @app.command("/ask")
    async def on_ask(ack: Any) -> None:
        await ack("asked")

    async with Person(signed, ANA) as ana:
        listener[0].broken = 2
        await ana.post(SUPPORT, "@nightschool are you there?")
        await ana.wait_for_message(lambda message: message["text"] == "heard")
        assert len(heard) == 1
        again = [request.headers.get("X-Slack-Retry-Num") for request in listener[0].requests]
        assert again[:4] == [None, None, "1", "1"], "the message and the mention failed once each"
        await ana.do("command", channel=SUPPORT, command="/ask", text="why?")
        await ana.wait_for_message(lambda message: message["text"] == "asked")


async def test_another_secret_is_turned_away(listener: tuple[Listener, str], signed: Running) -> None:
    listener[0].app = AsyncApp(client=AsyncWebClient(token=signed.bot_token), signing_secret="another")
    async with Person(signed, ANA) as ana:
        answer = await ana.ask("command", channel=SUPPORT, command="/ask", text="why?")
        assert answer["ok"] is False
