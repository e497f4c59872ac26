"""Child processes of one machine: started, watched, restarted with a pause, and all stopped at the end."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0
STEADY_AFTER_S = 60.0
MOST_QUICK_FAILURES = 5
PR_SET_PDEATHSIG = 1

Say = Callable[[str], None]


def _die_with_parent() -> None:
    # A parent killed with SIGKILL cannot stop its children: the kernel then does (prctl(2), Linux only).
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass
class Child:
    """One process that must keep running: what it is for people, how it starts, and where it writes its log."""

    title: str
    command: list[str]
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_within_s: float = 20.0
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    quick_failures: int = 0
    restart_at: float | None = None

    def start(self) -> None:
        """Start the process in a session of its own, so that Ctrl-C reaches the supervisor alone."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.environment},
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509  (no threads hold locks when children start)
            )
        self.started_at = time.monotonic()
        self.restart_at = None

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self.process is not None and self.process.poll() is None

    def how_it_ended(self) -> str:
        """In words: the exit code, or the signal that ended it."""
        code = self.process.returncode if self.process else None
        if code is None:
            return "has not ended"
        if code < 0:
            return f"was killed by {signal.Signals(-code).name}"
        return f"ended with exit code {code}"

    def log_tail(self, lines: int = 12) -> str:
        """The last lines of its log."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def stop(self) -> bool:
        """End the process and everything that it started; False when it had to be killed."""
        if self.process is None:
            return True
        self.signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=self.stop_within_s)
            polite = True
        except subprocess.TimeoutExpired:
            polite = False
        # The group outlives its leader when the leader left children behind.
        self.signal(signal.SIGKILL)
        self.process.wait()
        return polite

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process and everything that it started."""
        if self.process is None:
            return
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            return


class Supervisor:
    """Keeps children running: a dead one starts again after a pause that doubles, up to a limit of quick failures."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self.children: list[Child] = []

    def start(self, child: Child) -> Child:
        """Start a child and watch it from now on."""
        child.start()
        self.children.append(child)
        return child

    def check(self) -> list[Child]:
        """Look once at every child, restart what is due; those given up on are returned."""
        return [child for child in self.children if not child.running and self._given_up(child)]

    def _given_up(self, child: Child) -> bool:
        if child.restart_at is None:
            steady = time.monotonic() - child.started_at > STEADY_AFTER_S
            child.quick_failures = 1 if steady else child.quick_failures + 1
            if child.quick_failures > MOST_QUICK_FAILURES:
                return True
            pause = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** (child.quick_failures - 1))
            child.restart_at = time.monotonic() + pause
            self._say(f"{child.title} {child.how_it_ended()}; starting it again in {pause:.0f} s (log: {child.log}).")
        elif time.monotonic() >= child.restart_at:
            child.start()
            self._say(f"{child.title} started again.")
        return False

    def stop(self) -> None:
        """Stop every child, the last started first: politely, then for good."""
        for child in reversed(self.children):
            child.signal(signal.SIGTERM)
        for child in reversed(self.children):
            if not child.stop():
                self._say(f"{child.title} did not stop within {child.stop_within_s:.0f} s and was killed.")
