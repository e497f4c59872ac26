"""A running local workspace, and people who act in it through the page's own routes.

Import the fixture into a conftest: `from tests.fixtures_workspace import workspace`.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Self

import aiohttp
import pytest

from deploy.workspace.manifest import load_manifest
from deploy.workspace.seed import Seed, load_seed
from deploy.workspace.server import Running, running
from deploy.workspace.workspace import Timing, open_workspace

DEPLOY = Path(__file__).parents[1] / "deploy"
SUPPORT = "C0SUPPORT01"
GENERAL = "C0GENERAL01"
ADMINS = "C0ADMINS001"
BOT_USER = "U0NIGHT0001"
WAREHOUSE = "C0WAREHSE01"
ON_CALL = "S0ONCALL001"
ANA, TOM, RAVI, MEI = "U0ANA000001", "U0TOM000001", "U0RAVI00001", "U0MEI000001"

Json = dict[str, Any]
FAST_RETRIES = Timing(retry_delays_s=(0.1, 0.3, 1.0))


def default_seed() -> Seed:
    """The product's own people and channels."""
    return load_seed(DEPLOY / "slack-seed.yaml")


def default_workspace(
    folder: Path, timing: Timing = FAST_RETRIES, request_url: str | None = None, seed: Seed | None = None
) -> Any:
    """A workspace with the product's own manifest and seed (or another one), not yet listening."""
    manifest = load_manifest(DEPLOY / "slack-manifest.yaml")
    return open_workspace(folder, manifest, seed or default_seed(), timing, request_url)


@pytest.fixture
async def workspace(tmp_path: Path) -> AsyncIterator[Running]:
    """The local workspace, listening in this test's event loop; events are retried fast."""
    async with running(default_workspace(tmp_path / "workspace"), with_test_api=True) as server:
        yield server


async def switch(workspace: Any, name: str, **body: Any) -> Json:
    """Use one of the workspace's switches for tests (see deploy/workspace/test_api.py); fails when it is refused."""
    async with aiohttp.ClientSession() as session, session.post(f"{workspace.url}/test/{name}", json=body) as response:
        answer: Json = await response.json()
    assert answer["ok"], f"{name}: {answer.get('error')}"
    return answer


class Person:
    """Someone who uses the workspace's page; also works against a workspace in another process.

    Use as `async with Person(workspace, ANA) as ana:`; `workspace` is anything with a `url`.
    What the page would be shown is collected in `seen`.
    """

    def __init__(self, workspace: Any, user_id: str) -> None:
        self.url: str = workspace if isinstance(workspace, str) else workspace.url
        self.user_id = user_id
        self.seen: list[Json] = []
        self._news = asyncio.Condition()

    async def __aenter__(self) -> Self:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=5)
        self._session = aiohttp.ClientSession(timeout=timeout, read_bufsize=2**22)
        connected = asyncio.Event()
        self._watching = asyncio.create_task(self._watch(connected))
        await asyncio.wait_for(connected.wait(), 5)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._watching.cancel()
        with contextlib.suppress(asyncio.CancelledError, aiohttp.ClientError):
            await self._watching
        await self._session.close()

    @property
    def dm(self) -> str:
        """The direct message with the bot."""
        return f"D{self.user_id[1:]}"

    async def get(self, route: str, **query: str) -> Json:
        """One of the page's GET routes."""
        async with self._session.get(f"{self.url}/page/{route}", params={"as": self.user_id, **query}) as response:
            answer: Json = await response.json()
        return answer

    async def ask(self, route: str, **body: Any) -> Json:
        """One of the page's POST routes, with its answer as it is."""
        async with self._session.post(f"{self.url}/page/{route}", json={"as": self.user_id, **body}) as response:
            answer: Json = await response.json()
        return answer

    async def do(self, route: str, **body: Any) -> Json:
        """One of the page's POST routes; fails when the answer is not ok."""
        answer = await self.ask(route, **body)
        assert answer["ok"], f"{route}: {answer['error']}"
        return answer

    async def post(self, channel: str, text: str, thread_ts: str | None = None) -> str:
        """Post a message and give its `ts`; "@nightschool" becomes a mention."""
        answer = await self.do("post", channel=channel, text=text, thread_ts=thread_ts)
        return str(answer["ts"])

    async def click(self, message: Json, action_id: str, value: str | None = None, **chosen: Any) -> Json:
        """Use a button or menu of a message (or of a view): `value` picks one of feedback buttons."""
        place = {"view_id": message["id"]} if "hash" in message else {"message": _place(message)}
        block_id, found_value = _find(message["blocks"], action_id)
        action = {"value": found_value if value is None else value, **chosen}
        return await self.ask("action", **place, block_id=block_id, action_id=action_id, action=action, state={})

    async def submit(self, view: Json, values: dict[str, Any]) -> Json:
        """Submit a modal: `values` maps an action_id to a text, or to the value object of another kind of input."""
        state: Json = {"values": {}}
        for action_id, value in values.items():
            block_id, _ = _find(view["blocks"], action_id)
            state["values"].setdefault(block_id, {})[action_id] = value if isinstance(value, dict) else {"value": value}
        return await self.ask("submit", view_id=view["id"], state=state)

    async def open_home(self) -> Json | None:
        """Open the Home tab; the app may publish a newer one, which comes as a `home` event."""
        view: Json | None = (await self.get("home"))["view"]
        return view

    async def open_dm(self) -> None:
        """Open the Messages tab."""
        await self.do("open", channel=self.dm)

    async def messages(self, channel: str, thread_ts: str | None = None) -> list[Json]:
        """The messages of a channel or a thread, as this person sees them."""
        query = {"channel": channel} if thread_ts is None else {"channel": channel, "thread_ts": thread_ts}
        found: list[Json] = (await self.get("messages", **query))["messages"]
        return found

    async def wait_for(self, predicate: Callable[[Json], Any], timeout: float = 10.0) -> Json:
        """The first event of the feed, past or future, for which `predicate` holds."""

        def found() -> Json | None:
            return next((event for event in self.seen if predicate(event)), None)

        async with self._news:
            try:
                await asyncio.wait_for(self._news.wait_for(lambda: found() is not None), timeout)
            except TimeoutError:
                kinds = [event["type"] for event in self.seen]
                raise AssertionError(f"{self.user_id} waited {timeout} s in vain; saw {kinds}") from None
        event = found()
        assert event is not None
        return event

    async def wait_for_message(self, predicate: Callable[[Json], Any], timeout: float = 10.0) -> Json:
        """The first message shown to this person (posted, changed, streamed or ephemeral) that fits."""
        event = await self.wait_for(lambda event: "message" in event and predicate(event["message"]), timeout)
        message: Json = event["message"]
        return message

    def forget(self) -> None:
        """Forget what was seen, so that the next wait looks at what comes."""
        self.seen.clear()

    async def _watch(self, connected: asyncio.Event) -> None:
        async with self._session.get(f"{self.url}/page/events", params={"as": self.user_id}) as response:
            async for line in response.content:
                if line.startswith(b"data: "):
                    async with self._news:
                        self.seen.append(json.loads(line[6:]))
                        self._news.notify_all()
                    connected.set()


def _place(message: Json) -> Json:
    return {"channel": message["channel"], "ts": message["ts"]}


def _find(blocks: list[Json], action_id: str) -> tuple[str, Any]:
    for block in blocks:
        elements = [*block.get("elements", []), block.get("accessory"), block.get("element")]
        for element in elements:
            if isinstance(element, dict) and element.get("action_id") == action_id:
                return block["block_id"], element.get("value")
    raise AssertionError(f"no element {action_id} in {blocks}")
