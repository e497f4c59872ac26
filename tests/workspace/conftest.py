"""The running workspace for the tests of this folder, a plain client of its Web API, and a socket of one's own."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from deploy.workspace.server import Running, running
from tests.fixtures_workspace import default_workspace

Json = dict[str, Any]


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slack's Socket Mode client would use a proxy even for this machine."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
async def workspace(tmp_path: Path) -> AsyncIterator[Running]:
    """The running workspace, for an app that may add reactions too, which the product's own never does."""
    unopened = default_workspace(tmp_path / "workspace")
    unopened.manifest = replace(unopened.manifest, scopes=unopened.manifest.scopes | {"reactions:write"})
    async with running(unopened, with_test_api=True) as server:
        yield server


@pytest.fixture
def client(workspace: Running) -> AsyncWebClient:
    """Slack's own Python client with the bot's token."""
    return AsyncWebClient(token=workspace.bot_token, base_url=workspace.api_url)


@contextlib.asynccontextmanager
async def socket(workspace: Running) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """A Socket Mode connection that acknowledges nothing by itself; its `hello` has been read."""
    apps = AsyncWebClient(token=workspace.app_token, base_url=workspace.api_url)
    url = (await apps.apps_connections_open(app_token=workspace.app_token))["url"]
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as connection:
        assert (await connection.receive_json(timeout=5))["type"] == "hello"
        yield connection


async def acknowledge(connection: aiohttp.ClientWebSocketResponse, envelope: Json, payload: Json | None = None) -> None:
    """Acknowledge an envelope, maybe with an answer."""
    await connection.send_json({"envelope_id": envelope["envelope_id"], **({"payload": payload} if payload else {})})
