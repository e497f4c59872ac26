"""The whole product in processes of its own, for benchmarks: started as by `make run`, asked through the page."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

ROOT = Path(__file__).parents[1]
MODELS = Path(os.environ.get("NIGHTSCHOOL_MODELS_FOLDER", ROOT / ".nightschool" / "models"))
READY_WITHIN_S = 300.0
ANA = "U0ANA000001"
SUPPORT = "C0SUPPORT01"
BOT = "U0NIGHT0001"


@dataclass(frozen=True)
class Product:
    """A running product: where its page is and where its state lies."""

    page: str
    home: Path
    seconds_to_ready: float
    process: subprocess.Popen[str]

    @property
    def pid(self) -> int:
        """The process id of the supervisor."""
        return self.process.pid

    def stop(self) -> str:
        """Press Ctrl-C and wait for the end; what it said since it was ready."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        said, _ = self.process.communicate(timeout=90)
        return said or ""


@contextmanager
def running_product(**settings: str) -> Iterator[Product]:
    """Start the product in a temporary home with extra settings (names without prefix); stop it at the end."""
    with tempfile.TemporaryDirectory(prefix="nightschool-bench-") as folder:
        home = Path(folder) / "home"
        environment = {
            **os.environ,
            "NIGHTSCHOOL_HOME": str(home),
            "NIGHTSCHOOL_MODELS_FOLDER": str(MODELS),
            "NIGHTSCHOOL_PAGE_PORT": "0",
            "NIGHTSCHOOL_SAMPLE_COMPANY": "false",
            **{f"NIGHTSCHOOL_{name}": value for name, value in settings.items()},
        }
        started = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", "nightschool", "run"],
            env=environment,
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            page = _address(process)
            yield Product(page, home, time.monotonic() - started, process)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                process.wait(timeout=90)


def _address(process: subprocess.Popen[str]) -> str:
    said = ""
    for line in process.stdout or []:
        said += line
        if found := re.search(r"Nightschool is ready: (\S+)", line):
            return found[1].rstrip("/")
    raise RuntimeError(f"the product did not start:\n{said}")


class Asker:
    """One person at the page: posts questions and sees what is shown."""

    def __init__(self, session: aiohttp.ClientSession, page: str, person: str) -> None:
        self._session = session
        self._page = page
        self._person = person
        self._watchers: list[Callable[[dict[str, Any], float], None]] = []

    async def post(self, text: str) -> str:
        """Ask the bot in the support channel; the ts of the message."""
        body = {"as": self._person, "channel": SUPPORT, "text": f"<@{BOT}> {text}"}
        async with self._session.post(f"{self._page}/page/post", json=body) as response:
            answer = await response.json()
        if not answer.get("ok"):
            raise RuntimeError(answer)
        return str(answer["ts"])

    async def listen(self) -> None:
        """Hand every event that the page receives to the watchers, with its time of arrival, until cancelled."""
        timeout = aiohttp.ClientTimeout(total=None)
        async with self._session.get(
            f"{self._page}/page/events", params={"as": self._person}, timeout=timeout
        ) as stream:
            async for line in stream.content:
                if line.startswith(b"data:"):
                    arrived = time.perf_counter()
                    event = json.loads(line[5:])
                    for watch in list(self._watchers):
                        watch(event, arrived)

    async def ask(self, text: str, give_up_after_s: float = 300.0) -> tuple[float, float]:
        """Ask and wait for the whole answer.

        Returns:
            Seconds from just before the question is posted to the first visible text, and to the finished answer.
        """
        loop = asyncio.get_running_loop()
        finished: asyncio.Future[float] = loop.create_future()
        first: list[float] = []
        thread: list[str] = []
        early: list[tuple[dict[str, Any], float]] = []

        def watch(event: dict[str, Any], arrived: float) -> None:
            if not thread:
                early.append((event, arrived))
                return
            message = event.get("message") or {}
            if message.get("thread_ts") != thread[0] or not message.get("bot_id"):
                return
            if not first and _visible(message):
                first.append(arrived)
            if _finished(message) and not finished.done():
                finished.set_result(arrived)

        self._watchers.append(watch)
        started = time.perf_counter()
        thread.append(await self.post(text))
        for event, arrived in early:
            watch(event, arrived)
        try:
            ended = await asyncio.wait_for(finished, give_up_after_s)
        finally:
            self._watchers.remove(watch)
        return first[0] - started, ended - started


def _visible(message: dict[str, Any]) -> bool:
    return bool(str(message.get("text") or "").strip())


def _finished(message: dict[str, Any]) -> bool:
    # The feedback buttons come with the end of an answer.
    return any(block.get("type") == "context_actions" for block in message.get("blocks") or [])


@asynccontextmanager
async def asker(page: str, person: str = ANA) -> AsyncIterator[Asker]:
    """Someone who looks at the page while the block runs."""
    async with aiohttp.ClientSession() as session:
        someone = Asker(session, page, person)
        listening = asyncio.create_task(someone.listen())
        await asyncio.sleep(0.2)
        try:
            yield someone
        finally:
            listening.cancel()
