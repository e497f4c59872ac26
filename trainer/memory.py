"""Out of memory: how a training that ran out of it goes on by itself, on less.

A step is then computed in more parts, whose gradients are added up before the optimizer moves: the same rows a step,
the same loss, less memory, a little more time. The number of parts stands in the training's folder, so that one that
is killed afterwards goes on with it.
"""

import json
import signal
from pathlib import Path

from store.artifacts import write_json

MEMORY_FILE = "memory.json"
OUT_OF_MEMORY = 71
"""Exit code of a training process that could not allocate; it may be too starved to write why."""
KERNEL_COUNTERS = Path("/proc/vmstat")


def parts_of_step(folder: Path) -> int:
    """In how many parts the training in a folder computes each step; 1 until memory ran out."""
    file = folder / MEMORY_FILE
    return int(json.loads(file.read_text())["parts"]) if file.exists() else 1


def divide(folder: Path, batch_size: int) -> int | None:
    """Have each step computed in twice as many parts from now on; None when a part is down to one row already."""
    parts = 2 * parts_of_step(folder)
    if parts > batch_size:
        return None
    write_json(folder / MEMORY_FILE, {"parts": parts})
    return parts


def rows_at_once(rows: int, parts: int) -> int:
    """The most rows that divide a step of `rows` evenly, in no fewer than `parts` parts or one row at a time."""
    return next(count for count in range(max(1, rows // parts), 0, -1) if rows % count == 0)


class Watch:
    """Tells whether a process that ended meanwhile ended for want of memory."""

    def __init__(self) -> None:
        self._kills = _kernel_kills()

    def ran_out(self, exit_code: int) -> bool:
        """Whether it said so by its exit code, or was killed while the kernel was killing for memory."""
        return exit_code == OUT_OF_MEMORY or (exit_code == -signal.SIGKILL and _kernel_kills() > self._kills)


def _kernel_kills() -> int:
    """How many processes Linux has killed for memory since it started; 0 where it does not say."""
    if not KERNEL_COUNTERS.exists():
        return 0
    counters = dict(line.split(maxsplit=1) for line in KERNEL_COUNTERS.read_text().splitlines())
    return int(counters.get("oom_kill", 0))
