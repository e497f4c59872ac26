"""How well a canary is judged: simulated deployments with real votes, looked at after every thread.

Each thread goes wrong as often as threads of real support do: one whose first reply was voted unhelpful more often than
helpful went wrong (Mozilla Support, 1,800 threads). The canary of a deployment goes wrong as often, less or more often.
A deployment ends when the canary is rolled back, found better, or has lasted so many threads.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from serving.canary import Standing, judge
from store.canary_tally import Gone, Tally
from store.settings import CanarySettings

TITLE = "Canary: false roll-backs, and worsenings that are missed"

DATA = Path(__file__).parents[2] / "shared" / "data" / "firefox_support" / "tickets.jsonl"
SETTINGS = CanarySettings()
SHARES = (0.1, 0.25, 0.5)
THREADS = 2000
FAILURES = 0.01
"""Share of the threads in which an answer fails with either version, where nothing else is said."""


@dataclass(frozen=True)
class Kind:
    """What kind of candidate is deployed: how many times as often it goes wrong, and how often its answers fail."""

    name: str
    times: float
    failures: float = FAILURES


KINDS = (
    Kind("equal", 1.0),
    Kind("better by a half", 0.5),
    Kind("worse by a half", 1.5),
    Kind("twice as bad", 2.0),
    Kind("one answer in five fails", 1.0, 0.2),
)


def table(quick: bool) -> str:
    """Simulate deployments of each kind at each share; a Markdown table."""
    if not DATA.exists():
        return f"Skipped: the public support threads are not at {DATA}."
    deployments = 100 if quick else 1000
    usual = usual_rate()
    lines = [
        "| candidate | share | rolled back | found better | median threads until then | of them the canary's |",
        "|---|---|---|---|---|---|",
    ]
    for kind in KINDS:
        for share in SHARES:
            found = [
                deploy(np.random.default_rng([seed, int(100 * share)]), kind, share, usual)
                for seed in range(deployments)
            ]
            lines.append(_line(kind, share, found))
    alarm, alarm_of_failures = 100 * SETTINGS.false_alarm, 100 * SETTINGS.false_alarm_of_failures
    words = (
        f"{deployments:,} deployments a row, each of at most {THREADS:,} threads and looked at after every one. "
        f"Threads of production go wrong in {100 * usual:.1f} %, the share of real ones whose first reply was voted "
        f"unhelpful; answers fail in {100 * FAILURES:.0f} %. The settings allow {alarm:.0f} % false roll-backs for "
        f"threads that went wrong and {alarm_of_failures:.0f} % for failures."
    )
    return "\n".join([words, "", *lines])


def usual_rate() -> float:
    """The share of real threads whose first reply was voted unhelpful more often than helpful."""
    threads = [json.loads(line)["thread"] for line in DATA.read_text().splitlines()]
    replied = [thread[0] for thread in threads if thread]
    return float(np.mean([reply["unhelpful_votes"] > reply["helpful_votes"] for reply in replied]))


def deploy(random: np.random.Generator, kind: Kind, share: float, usual: float) -> tuple[Standing, int, int]:
    """One deployment: how it ended, after how many threads, and how many of them were the canary's."""
    ours = random.random(THREADS) < share
    wrong = random.random(THREADS) < np.where(ours, kind.times, 1.0) * usual
    failed = random.random(THREADS) < np.where(ours, kind.failures, FAILURES)
    counts = {
        side: np.cumsum(np.stack([mask, wrong & mask, failed & mask], 1), 0) for side, mask in ((1, ours), (0, ~ours))
    }
    # Between two threads in which something went wrong the evidence does not grow.
    for place in np.flatnonzero(wrong | failed):
        canary, champion = (Gone(*map(int, counts[side][place])) for side in (1, 0))
        judged = judge(Tally(canary, champion, share), SETTINGS)
        if judged.standing != Standing.UNDECIDED:
            return judged.standing, int(place) + 1, canary.threads
    return Standing.UNDECIDED, THREADS, int(ours.sum())


def _line(kind: Kind, share: float, found: list[tuple[Standing, int, int]]) -> str:
    back = [each for each in found if each[0] in (Standing.WORSE, Standing.FAILS)]
    better = [each for each in found if each[0] == Standing.BETTER]
    ended = back if len(back) >= len(better) else better
    until = (
        f"{np.median([each[1] for each in ended]):,.0f} | {np.median([each[2] for each in ended]):,.0f}"
        if ended
        else " | "
    )
    shares = " | ".join(f"{100 * len(each) / len(found):.1f} %" for each in (back, better))
    return f"| {kind.name} | {100 * share:.0f} % | {shares} | {until} |"
