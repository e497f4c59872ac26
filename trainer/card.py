"""The whole model card of a version: the card of its folder, and how it compares with production.

Written beside the night's report, since the folder itself is published before the comparison and never changes.
"""

from pathlib import Path
from typing import Any

from store import artifacts
from store.tables import Evaluation
from trainer.register import of_night
from trainer.work import Work

CARD = "README.md"


def write_card(work: Work, evaluation: Evaluation, path: Path) -> None:
    """Write the card of the version that a night made, with its scores, whole or not at all.

    Raises:
        OSError: it cannot be written, or the version's folder is away.
    """
    with work.store.reading() as session:
        adapter = of_night(session, work.night_id)
    if adapter is None:
        raise LookupError(f"the night {work.night.key} has no version to describe")
    card = (Path(adapter.path) / CARD).read_text().rstrip()
    artifacts.write_bytes(path, f"{card}\n\n{scores(evaluation)}".encode())


def scores(evaluation: Evaluation) -> str:
    """The card's chapter on what the comparison found."""
    lines = [_line(measure) for measure in evaluation.metrics.get("measures") or []]
    head = f"| measure | {evaluation.candidate} | {evaluation.champion} | difference, with its interval |"
    return "\n".join(
        [
            f"## Scores of {evaluation.candidate}",
            "",
            f"On {evaluation.metrics.get('items', 0)} tickets that it never learnt from. {evaluation.summary}",
            "",
            head,
            "| --- | --- | --- | --- |",
            *lines,
            "",
        ]
    )


def _line(measure: dict[str, Any]) -> str:
    values = f"{measure['candidate']:.3f} | {measure['champion']:.3f}"
    difference = f"{measure['difference']:+.3f} ({measure['low']:+.3f} to {measure['high']:+.3f})"
    return f"| {measure['label']}, {measure['unit']} | {values} | {difference} |"
