"""Named places at which a test may let the process die, fail or wait, to see that nothing is lost.

`NIGHTSCHOOL_FAILPOINTS="curate.frozen=kill, adapter.written=kill@2"` arms them: `kill` ends the process as SIGKILL
does, `raise` raises `FailpointReached`, `starve` raises `MemoryError` as a machine without memory would, `sleep` waits
ten seconds; `@2` means the second time that the place is reached. Unarmed they cost one look into an empty dictionary.
After FoundationDB's and PingCAP's points of that name.
"""

import os
import signal
import time
from collections import Counter
from functools import cache

from store.errors import BadInput

VARIABLE = "NIGHTSCHOOL_FAILPOINTS"
SLEEP_S = 10.0
ACTIONS = ("kill", "raise", "starve", "sleep")

FAILPOINTS = {
    "night.begun": "the night is marked as running",
    "stage.begun": "an attempt at a stage is counted",
    "curate.sent_back": "what reviewers have to look at again is in their queue, the alerts are stored",
    "curate.decided": "groups and splits are stored, the dataset is not yet frozen",
    "curate.frozen": "the dataset's folder is there, its row is not",
    "curate.stored": "the dataset's row is there",
    "train.begun": "the training's row is there, its process has not started",
    "training.step": "a step of the training begins",
    "checkpoint.written": "a checkpoint's files are there, its marker is not",
    "checkpoint.marked": "a checkpoint counts",
    "adapter.written": "the trained adapter is whole under a temporary name",
    "adapter.published": "the trained adapter is in its place",
    "training.done": "the training process has left its result",
    "train.trained": "the training has ended, its row does not say so",
    "train.recorded": "the training's row says that it has ended",
    "register.published": "the version's folder is there, its row is not",
    "register.stored": "the version's row is there",
    "evaluate.answered": "both versions have answered, nothing is stored",
    "evaluate.stored": "the evaluation is stored",
    "report.drawn": "the chart is there, nothing refers to it",
    "report.stored": "the chart is referred to",
    "stage.recorded": "a stage's end is stored",
    "night.ended": "the night's end is stored, and its card is owed",
}
"""Every point of a night, and what holds when it is reached."""

_reached: Counter[str] = Counter()


class FailpointReached(Exception):
    """A point that was armed with `raise` was reached."""


def failpoint(name: str) -> None:
    """Die, fail or wait here if the environment says so.

    Raises:
        FailpointReached: it says `raise`.
        MemoryError: it says `starve`.
        BadInput: what it says is not understood.
    """
    armed = _armed(os.environ.get(VARIABLE, ""))
    if name not in armed:
        return
    _reached[name] += 1
    action, at = armed[name]
    if _reached[name] != at:
        return
    if action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if action == "raise":
        raise FailpointReached(name)
    if action == "starve":
        raise MemoryError(name)
    time.sleep(SLEEP_S)


@cache
def _armed(text: str) -> dict[str, tuple[str, int]]:
    found = {}
    for part in filter(None, map(str.strip, text.split(","))):
        name, _, order = part.partition("=")
        action, _, at = order.partition("@")
        if name not in FAILPOINTS or action not in ACTIONS or not (at or "1").isdigit():
            raise BadInput(
                f"{VARIABLE} has {part!r}; it takes NAME=ACTION or NAME=ACTION@COUNT, with one of "
                f"{', '.join(ACTIONS)} and a name of docs/failpoints.md."
            )
        found[name] = (action, int(at or 1))
    return found
