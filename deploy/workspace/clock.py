"""Message timestamps: Slack's `ts` is a time, an order and an identity at once."""

import time


class Clock:
    """Gives `ts` strings, "seconds.micros", each greater than any given before, across restarts too."""

    def __init__(self, last: str | None = None) -> None:
        self._last = 0 if last is None else int(last.replace(".", ""))

    def next(self) -> str:
        """A new, unique `ts`."""
        self._last = max(time.time_ns() // 1000, self._last + 1)
        return f"{self._last // 1_000_000:010d}.{self._last % 1_000_000:06d}"


def padded(ts: str) -> str:
    """A `ts` as people write it (such as "0" or "1700000000") in the full width that compares as text."""
    seconds, _, micros = ts.partition(".")
    return f"{seconds.zfill(10)}.{micros.ljust(6, '0')}"
