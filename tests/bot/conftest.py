"""The bot against a local workspace, with a scripted model: everything between the two is the real thing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import pytest
from pydantic import SecretStr
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler

from bot import app as bot_app
from bot.inbox import Inbox
from bot.outbox import OutboxWorker
from bot.services import Services
from deploy.workspace.server import Running
from serving.client import ModelClient
from serving.fleet import Fleet
from store.errors import NightschoolError
from store.session import Store
from store.settings import ServingSettings, Settings
from store.tables import Adapter
from tests.bot.model_server import ScriptedModel, serving_model
from tests.fixtures_workspace import ADMINS, ANA, MEI, RAVI, TOM, Person, workspace

__all__ = ["workspace"]


class StandInFleet(Fleet):
    """A fleet without servers: notes what it was told to load, and refuses what a test tells it to."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.loaded: list[str] = []
        self.refusal: NightschoolError | None = None

    async def load(self, adapter: Adapter) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.loaded.append(adapter.name)


@dataclass
class RunningBot:
    """A bot that is connected to the workspace."""

    services: Services
    fleet: StandInFleet
    workers: list["asyncio.Task[None]"] = field(default_factory=list)

    @property
    def store(self) -> Store:
        return self.services.store


@pytest.fixture
async def model() -> AsyncIterator[ScriptedModel]:
    async with serving_model() as running:
        yield running


@pytest.fixture
def bot_settings(settings: Settings, workspace: Running, model: ScriptedModel) -> Settings:
    """Settings of a bot for the local workspace, with Ravi as reviewer and Mei as admin."""
    return settings.model_copy(
        update={
            "slack_bot_token": SecretStr(workspace.bot_token),
            "slack_app_token": SecretStr(workspace.app_token),
            "slack_api_url": workspace.api_url,
            "reviewers": [RAVI],
            "admins": [MEI],
            "admin_channel": ADMINS,
            "first_use_notices": False,
            "serving": ServingSettings(urls=[model.url]),
        }
    )


@asynccontextmanager
async def running_bot(settings: Settings, store: Store, *, lease_s: float = 15.0) -> AsyncIterator[RunningBot]:
    """A bot with its workers, but without the reconciler, which needs real model servers."""
    async with AsyncExitStack() as stack:
        client, fleet = ModelClient(settings), StandInFleet(settings)
        stack.push_async_callback(client.aclose)
        stack.push_async_callback(fleet.aclose)
        services = bot_app.create_services(settings, store, client, fleet)
        services.inbox = Inbox(store, lease_s=lease_s)
        stack.push_async_callback(bot_app.close_services, services)
        handler = AsyncSocketModeHandler(bot_app.create_app(services), settings.slack_app_token.get_secret_value())
        stack.push_async_callback(handler.client.close)
        bot = RunningBot(services, fleet)
        bot.workers = [
            asyncio.create_task(services.inbox.work()),
            asyncio.create_task(OutboxWorker(services).work()),
        ]
        await services.bot()
        await handler.client.connect()
        try:
            yield bot
        finally:
            await services.inbox.drain(2.0)
            for worker in bot.workers:
                worker.cancel()
            await asyncio.gather(*bot.workers, return_exceptions=True)


@pytest.fixture
async def bot(bot_settings: Settings, sqlite_store: Store) -> AsyncIterator[RunningBot]:
    """A bot on SQLite."""
    async with running_bot(bot_settings, sqlite_store) as running:
        yield running


@pytest.fixture
async def ana(workspace: Running) -> AsyncIterator[Person]:
    async with Person(workspace, ANA) as person:
        yield person


@pytest.fixture
async def tom(workspace: Running) -> AsyncIterator[Person]:
    async with Person(workspace, TOM) as person:
        yield person


@pytest.fixture
async def ravi(workspace: Running) -> AsyncIterator[Person]:
    async with Person(workspace, RAVI) as person:
        yield person


@pytest.fixture
async def mei(workspace: Running) -> AsyncIterator[Person]:
    async with Person(workspace, MEI) as person:
        yield person
