"""Failures on demand: a test can make calls fail or dawdle, streams die, and trigger ids be stale."""

from collections import deque
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Fault:
    """How one call fails: HTTP 429 with Retry-After, or any other HTTP status, or Slack's error code at 200.

    With `delay_s` the call waits first; with an empty `error` it is only slow and then goes on as usual.
    """

    status: int = 429
    retry_after_s: int | None = 1
    error: str = "ratelimited"
    delay_s: float = 0.0


@dataclass(frozen=True)
class StreamLife:
    """How long one stream lives: so many appends, so many seconds, or what Slack gives it where that is None."""

    appends: int | None = None
    seconds: float | None = None


@dataclass
class Faults:
    """The faults that wait: for calls by method, for streams and for trigger ids, each used up once."""

    stale_triggers: int = 0
    _waiting: dict[str, deque[Fault]] = field(default_factory=dict)
    _streams: deque[StreamLife] = field(default_factory=deque)

    def add(self, method: str, *faults: Fault) -> None:
        """Let the next calls of `method` fail, one fault a call."""
        self._waiting.setdefault(method, deque()).extend(faults)

    def take(self, method: str) -> Fault | None:
        """The fault for this call, if one waits."""
        waiting = self._waiting.get(method)
        return waiting.popleft() if waiting else None

    def shorten_stream(self, life: StreamLife) -> None:
        """Let the next stream that is started live no longer than this."""
        self._streams.append(life)

    def take_stream(self) -> StreamLife:
        """The life of a stream that is started now."""
        return self._streams.popleft() if self._streams else StreamLife()

    def take_trigger(self) -> bool:
        """Whether the trigger id that is given out now has expired already."""
        stale = self.stale_triggers > 0
        self.stale_triggers -= stale
        return stale
