"""Failures on demand: a test can make the next calls of a method be rate limited or fail."""

from collections import deque
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Fault:
    """How one call fails: HTTP 429 with Retry-After, or any other HTTP status, or Slack's error code at 200."""

    status: int = 429
    retry_after_s: int | None = 1
    error: str = "ratelimited"


@dataclass
class Faults:
    """The faults that wait for calls, by method."""

    _waiting: dict[str, deque[Fault]] = field(default_factory=dict)

    def add(self, method: str, *faults: Fault) -> None:
        """Let the next calls of `method` fail, one fault a call."""
        self._waiting.setdefault(method, deque()).extend(faults)

    def take(self, method: str) -> Fault | None:
        """The fault for this call, if one waits."""
        waiting = self._waiting.get(method)
        return waiting.popleft() if waiting else None
