"""On one GPU the model server sleeps while the night trains, and is woken whatever becomes of the night."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from serving.fleet import Fleet
from serving.reconcile import Reconciler
from serving.route_guard import ROUTES
from store import leases
from store.errors import ModelUnavailable
from store.session import Store
from store.settings import Settings
from store.tables import BASE

KEY = "a-key"


@dataclass
class Sleeper:
    """vLLM's routes for sleep, as far as its documentation tells them, behind a key."""

    can_sleep: bool = True
    asleep: bool = False
    orders: list[str] = field(default_factory=list)
    settings: Settings | None = None

    async def handle(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Bearer {KEY}" or (request.method, request.path) not in ROUTES:
            return web.json_response({"error": "a key is needed"}, status=401)
        if request.path == "/v1/models":
            return web.json_response({"data": [{"id": BASE, "root": BASE}]})
        if not self.can_sleep:
            return web.json_response({"detail": "Not Found"}, status=404)
        if request.path == "/is_sleeping":
            return web.json_response({"is_sleeping": self.asleep})
        self.orders.append(request.path_qs)
        self.asleep = request.path == "/sleep"
        return web.json_response({"status": "done"})


@pytest.fixture
async def sleeper(settings: Settings) -> AsyncIterator[Sleeper]:
    made = Sleeper()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", made.handle)
    async with TestServer(application) as server:
        serving: dict[str, Any] = {"urls": [str(server.make_url(""))], "api_key": KEY, "while_training": "sleep"}
        made.settings = settings.model_copy(update={"serving": type(settings.serving)(**serving)})
        yield made


def of(sleeper: Sleeper) -> Settings:
    assert sleeper.settings is not None
    return sleeper.settings


async def test_it_is_put_to_sleep_gently_and_woken(sleeper: Sleeper) -> None:
    fleet = Fleet(of(sleeper))
    assert not await fleet.asleep()
    await fleet.sleep()
    assert await fleet.asleep()
    await fleet.wake()
    assert not await fleet.asleep()
    assert sleeper.orders == ["/sleep?level=1&mode=wait", "/wake_up"]
    await fleet.aclose()


async def test_one_that_was_not_started_for_it_says_how(sleeper: Sleeper) -> None:
    sleeper.can_sleep = False
    fleet = Fleet(of(sleeper))
    assert not await fleet.asleep()
    with pytest.raises(ModelUnavailable, match="WHILE_TRAINING=sleep"):
        await fleet.sleep()
    await fleet.aclose()


async def test_a_sleeper_is_let_alone_during_a_night_and_woken_when_it_is_over(sleeper: Sleeper, store: Store) -> None:
    fleet = Fleet(of(sleeper))
    reconciler = Reconciler(store, fleet, of(sleeper))
    with store.writing() as session:
        token = leases.acquire(session, leases.NIGHT, "the night", 60)
    assert token is not None
    await fleet.sleep()
    await reconciler.once()
    assert await fleet.asleep()
    with store.writing() as session:
        leases.release(session, leases.NIGHT, token)
    await reconciler.once()
    assert not await fleet.asleep()
    await fleet.aclose()
