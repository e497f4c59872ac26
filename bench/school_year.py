"""A school year of the whole product: `nightschool simulate` on a shop's tickets, begun without a lesson.

Nights that were lived are kept in a folder and not lived again until that is removed.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.product import MODELS, ROOT
from deploy.school_year.report import PICTURE
from deploy.school_year.year import Options, simulate
from store import artifacts

TITLE = "A school year: tickets asked, reviewed and learnt day by day"
DATA = ROOT.parent / "shared" / "data" / "shop_support" / "train.jsonl"
KEPT = ROOT / ".nightschool" / "school-year" / "shop_support"
CHART = ROOT / "docs" / "images" / "school-year.png"
NIGHTS, QUICK_NIGHTS, TICKETS_PER_NIGHT = 12, 3, 10

SETTINGS = {
    "SERVING__MAX_TOKENS": "160",
    "SERVING__FIRST_TOKEN_TIMEOUT_S": "180",
    "SERVING__GAP_TIMEOUT_S": "120",
    "TRAINING__START": "onward",
    "TRAINING__EPOCHS": "2",
    "TRAINING__CORRECTION_WEIGHT": "2",
    "TRAINING__BATCH_SIZE": "4",
    "TRAINING__ONWARD_LEARNING_RATE": "1",
    "GATE__MOST_CORRECTIONS": "12",
    "NIGHT__HELD_OUT_SHARE": "0.3",
}
"""Nights of a few minutes each on two cores; what reviewers accept is held out more often, since there is so little."""

WHAT_IT_SHOWS = """
Every question on one of this shop's 27 topics has the same right answer, word for word. That is the best case for
copying the closest past answer, which needs no model and learns from a single example; the product does the same with
near-identical questions (approved answers), which are off here so that the versions alone are scored. Ten tickets a day
are few for a model of 135 million parameters: the gate never had the evidence to recommend a version."""


def table(quick: bool) -> str:
    """Live the nights that are not kept yet; sentence, chart and table of the year."""
    if not DATA.exists():
        return f"Skipped: the public customer-support set is not at {DATA}."
    nights = QUICK_NIGHTS if quick else NIGHTS
    options = Options(KEPT, {"answer": "policy_answer"}, nights, TICKETS_PER_NIGHT, promote_all=True)
    with _environment():
        report = simulate(DATA, options, lambda line: print(line, file=sys.stderr, flush=True))
    if not quick:
        artifacts.write_bytes(CHART, (KEPT / PICTURE).read_bytes())
    _, page = report.read_text().split("\n\n", 1)
    given = " ".join(f"NIGHTSCHOOL_{name}={value}" for name, value in SETTINGS.items())
    command = (
        f"nightschool simulate train.jsonl --map answer=policy_answer --nights {nights} "
        f"--tickets-per-night {TICKETS_PER_NIGHT} --promote-all"
    )
    shown = page.replace(f"({PICTURE})", f"({CHART.relative_to(ROOT / 'docs')})")
    return f"`{command}`, with `{given}`.\n\n{shown}\n{WHAT_IT_SHOWS}"


@contextmanager
def _environment() -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update({f"NIGHTSCHOOL_{name}": value for name, value in SETTINGS.items()})
    os.environ["NIGHTSCHOOL_MODELS_FOLDER"] = str(Path(MODELS))
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
