"""Everything on one machine with nothing to sign up for: what `make run` starts.

Base model, vLLM, the local Slack workspace with its page, the bot and the scheduler, each in a process of its own.
With `SLACK_BOT_TOKEN` and `SLACK_APP_TOKEN` set, the real Slack takes the place of the local workspace.
"""

import fcntl
import json
import os
import shutil
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import httpx2
from rich.console import Console
from sqlmodel import func, select

from deploy.supervisor import Child, Supervisor
from serving.base_model import ensure_base_model
from store.errors import NightschoolError
from store.import_tickets import import_tickets
from store.knowledge import folder
from store.session import Store
from store.settings import Settings
from store.tables import Ticket

DEPLOY = Path(__file__).parent
SAMPLE_TICKETS = DEPLOY / "sample_company" / "tickets.jsonl"
SAMPLE_DOCUMENTS = DEPLOY / "sample_company" / "documents"
MANIFEST = DEPLOY / "slack-manifest.yaml"
FREE_BYTES_NEEDED = 2 * 1024**3
MODEL_READY_WITHIN_S = 300.0
BOT_READY_WITHIN_S = 90.0
LOOK_EVERY_S = 0.5

LOCAL_REVIEWERS = ["U0RAVI00001"]
LOCAL_ADMINS = ["U0MEI000001"]
LOCAL_ADMIN_CHANNEL = "C0ADMINS001"


class Stopped(Exception):
    """Ctrl-C or SIGTERM asked everything to stop."""


@dataclass
class Progress:
    """Tells the person at the terminal what happens and how long each step took."""

    console: Console

    def say(self, text: str) -> None:
        """Print one line."""
        self.console.print(f"  {text}", highlight=False, markup=False)

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Show a step while it runs, and its seconds when it is done."""
        started = time.monotonic()
        with self.console.status(f"{title} …"):
            yield
        self.say(f"✓ {title} ({time.monotonic() - started:.1f} s)")


def run(settings: Settings) -> None:
    """Set up and start everything; returns after Ctrl-C, when nothing is left running.

    Raises:
        NightschoolError: a port in use, a full disk, a missing model, a child that keeps dying; the message says
            what to do.
    """
    progress = Progress(Console())
    supervisor = Supervisor(progress.say)
    with _only_one(settings), _stop_signals():
        try:
            address = _Start(settings, progress, supervisor).everything()
            progress.console.print(f"\nNightschool is ready: {address}", highlight=False, soft_wrap=True)
            _watch(supervisor)
        except Stopped:
            progress.say("Stopping …")
        finally:
            _ignore_stop_signals()
            supervisor.stop()
    progress.say("Everything is stopped.")


@contextmanager
def without_nights(settings: Settings) -> Iterator[str]:
    """All but the scheduler, watched while the block runs, for who runs the nights; the address of the page.

    Raises:
        NightschoolError: as `run`.
    """
    progress, stop = Progress(Console()), threading.Event()
    supervisor = Supervisor(progress.say)

    def watch() -> None:
        # What is given up on is missed by who needs it, and that error names its log.
        while not stop.wait(LOOK_EVERY_S):
            supervisor.check()

    watcher = threading.Thread(target=watch, name="supervisor", daemon=True)
    with _only_one(settings):
        try:
            address = _Start(settings, progress, supervisor, scheduler=False).everything()
            watcher.start()
            yield address
        finally:
            stop.set()
            if watcher.ident is not None:
                watcher.join()
            supervisor.stop()


class _Start:
    """The steps from nothing to ready, in their order."""

    def __init__(
        self, settings: Settings, progress: Progress, supervisor: Supervisor, *, scheduler: bool = True
    ) -> None:
        self.settings = settings
        self.progress = progress
        self.supervisor = supervisor
        self.scheduler = scheduler
        self.started = time.monotonic()

    def everything(self) -> str:
        """Start all; the address where the product is to be found."""
        _check_disk(self.settings.home)
        real_slack = self.settings.slack_bot_token is not None
        if not real_slack:
            _check_port(self.settings.page_port)
        with self.progress.step("Database"):
            store = Store.of(self.settings)
            store.migrate()
            if warning := store.sqlite_warning():
                self.progress.say(warning)
        with self.progress.step("Base model"):
            ensure_base_model(self.settings, self.progress.say)
        engine = None if self.settings.serving.urls else self._child("vLLM", "serve")
        environment, address = self._slack(real_slack)
        self._import_samples(store)
        store.close()
        with self.progress.step("vLLM answers"):
            self._wait_for_model(engine)
        bot = self._child("The bot", "bot", environment)
        if self.scheduler:
            self._child("The scheduler", "scheduler", environment)
        with self.progress.step("Bot connected to Slack"):
            self._wait_for_bot(bot)
        self.progress.say(
            f"Ready after {time.monotonic() - self.started:.1f} s; logs in {self.settings.logs}; Ctrl-C stops all."
        )
        return address

    def _child(self, title: str, command: str, environment: dict[str, str] | None = None) -> Child:
        log = self.settings.logs / f"{command}.log"
        argv = [sys.executable, "-m", "nightschool", command]
        return self.supervisor.start(Child(title, argv, log, self._environment() | (environment or {})))

    def _environment(self) -> dict[str, str]:
        """What makes the children read the same settings, wherever they are started."""
        return {"NIGHTSCHOOL_HOME": str(self.settings.home.resolve()), "PYTHONUNBUFFERED": "1"}

    def _slack(self, real: bool) -> tuple[dict[str, str], str]:
        if real:
            return {}, "your Slack workspace, where the app is installed"
        folder = self.settings.home.resolve() / "workspace"
        facts_file = folder / "workspace.json"
        facts_file.unlink(missing_ok=True)
        argv = [sys.executable, "-m", "deploy.workspace", "--folder", str(folder), "--manifest", str(MANIFEST)]
        argv += ["--port", str(self.settings.page_port)]
        child = Child("The local Slack workspace", argv, self.settings.logs / "workspace.log", self._environment())
        with self.progress.step("Local Slack workspace"):
            self.supervisor.start(child)
            self._wait(child, facts_file.exists, 30.0)
        facts: dict[str, Any] = json.loads(facts_file.read_text())
        # A restart of the workspace must come back under the same address.
        child.command[-1] = facts["url"].rsplit(":", 1)[1].strip("/")
        return self._local_environment(facts), str(facts["page_url"])

    def _local_environment(self, facts: dict[str, Any]) -> dict[str, str]:
        proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "")
        return {
            # The Socket Mode client would send loopback traffic through a proxy, and fail.
            **proxies,
            "SLACK_API_URL": facts["api_url"],
            "SLACK_BOT_TOKEN": facts["bot_token"],
            "SLACK_APP_TOKEN": facts["app_token"],
            # The local workspace is reached over Socket Mode, whatever holds for the real one.
            "NIGHTSCHOOL_HTTP_PORT": "",
            "NIGHTSCHOOL_REVIEWERS": ",".join(self.settings.reviewers or LOCAL_REVIEWERS),
            "NIGHTSCHOOL_ADMINS": ",".join(self.settings.admins or LOCAL_ADMINS),
            "NIGHTSCHOOL_ADMIN_CHANNEL": self.settings.admin_channel or LOCAL_ADMIN_CHANNEL,
        }

    def _import_samples(self, store: Store) -> None:
        if not self.settings.sample_company:
            return
        with store.reading() as session:
            if session.exec(select(func.count()).select_from(Ticket)).one():
                return
        with self.progress.step("Past tickets and documents of the sample company"):
            import_tickets(store, self.settings, SAMPLE_TICKETS)
            folder.add([SAMPLE_DOCUMENTS], self.settings.documents)
            folder.update(store, self.settings.documents)

    def _wait_for_model(self, engine: Child | None) -> None:
        url = self.settings.replica_urls[0]
        self._wait(engine, lambda: healthy(url), MODEL_READY_WITHIN_S)

    def _wait_for_bot(self, bot: Child) -> None:
        marker = self.settings.bot_ready_file

        def ready() -> bool:
            return bot.process is not None and marker.exists() and marker.read_text() == str(bot.process.pid)

        self._wait(bot, ready, BOT_READY_WITHIN_S)

    def _wait(self, child: Child | None, ready: Callable[[], bool], seconds: float) -> None:
        title = child.title if child else "The model server"
        deadline = time.monotonic() + seconds
        while not ready():
            if child and not child.running:
                raise NightschoolError(
                    f"{title} {child.how_it_ended()} while starting. Its log {child.log} ends:\n{child.log_tail()}"
                )
            if time.monotonic() > deadline:
                where = f" Its log is {child.log}." if child else " Check NIGHTSCHOOL_SERVING__URLS."
                raise NightschoolError(f"{title} was not ready within {seconds:.0f} s.{where}")
            time.sleep(0.1)


def _watch(supervisor: Supervisor) -> None:
    while True:
        time.sleep(LOOK_EVERY_S)
        if given_up := supervisor.check():
            child = given_up[0]
            raise NightschoolError(
                f"{child.title} {child.how_it_ended()}, again and again. Its log {child.log} ends:\n{child.log_tail()}"
            )


def healthy(url: str) -> bool:
    """Whether the model server at this address answers."""
    transport = httpx2.HTTPTransport(uds=url.removeprefix("unix://")) if url.startswith("unix://") else None
    base = "http://vllm" if transport else url
    try:
        with httpx2.Client(transport=transport, timeout=2.0) as client:
            return client.get(f"{base}/health").status_code == httpx2.codes.OK
    except httpx2.HTTPError:
        return False


def _check_disk(home: Path) -> None:
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NightschoolError(
            f"{home} cannot be written: {error.strerror}. Set NIGHTSCHOOL_HOME to a folder of yours."
        ) from error
    free = shutil.disk_usage(home).free
    if free < FREE_BYTES_NEEDED:
        raise NightschoolError(
            f"Only {free // 1024**2} MB are free on the disk of {home.resolve()}; "
            f"{FREE_BYTES_NEEDED // 1024**2} MB are needed. Free some room or set NIGHTSCHOOL_HOME to another disk."
        )


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise NightschoolError(
                f"Port {port} is in use by another program. Stop that program, or choose another port: "
                f"NIGHTSCHOOL_PAGE_PORT={port + 1} make run"
            ) from error


@contextmanager
def _only_one(settings: Settings) -> Iterator[None]:
    """Hold the lock of this home; a second start finds it held."""
    _check_disk(settings.home)
    path = settings.home / "run" / "local.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise NightschoolError(
                f"Nightschool is already running in {settings.home.resolve()} (process {lock.read().strip()}). "
                "Stop it first, or set NIGHTSCHOOL_HOME to another folder."
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


@contextmanager
def _stop_signals() -> Iterator[None]:
    """Turn Ctrl-C and SIGTERM into `Stopped`."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        # A second, impatient Ctrl-C must not interrupt the stopping and leave children behind.
        _ignore_stop_signals()
        raise Stopped

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _ignore_stop_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
