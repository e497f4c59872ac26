"""Which methods tonight's rows allow.

Every reviewed answer is shown as it should be (SFT). Where enough of them correct what the bot had said, it then learns
to prefer the correction to that (DPO). Where the settings let lone thumbs teach and there are enough, it learns from
them last (KTO).
"""

from collections.abc import Sequence
from typing import Any

from store.settings import TrainingSettings
from store.words import Split
from trainer.curate.freeze import THUMB, Row


def choose_methods(rows: Sequence[Row], settings: TrainingSettings) -> dict[str, Any]:
    """The methods for a dataset, as its manifest keeps them, and why, in words.

    `pairs` to prefer by and `thumbs` to learn from are 0 where that method is not used.
    """
    pairs = sum(bool(row["rejected"]) for row in rows if row["split"] == Split.TRAIN and row["weight"])
    thumbs = [row["thumb"] for row in rows if row["split"] == THUMB]
    used = pairs if settings.preference != "off" and pairs >= settings.min_pairs else 0
    return {"pairs": used, "thumbs": len(thumbs), "reason": _reason(pairs, thumbs, settings)}


def _reason(pairs: int, thumbs: Sequence[float], settings: TrainingSettings) -> str:
    what, up = f"{pairs} pairs of a correction and the bot's own answer", sum(thumb > 0 for thumb in thumbs)
    steps, lacks = ["SFT"], []
    if settings.preference != "off" and pairs >= settings.min_pairs:
        steps.append(f"DPO on {what}")
    elif settings.preference != "off":
        lacks.append(f"{what}, and {settings.min_pairs} are needed for DPO")
    if thumbs:
        steps.append(f"KTO on {len(thumbs)} answers with trusted thumbs alone ({up} 👍, {len(thumbs) - up} 👎)")
    elif settings.thumbs != "off":
        lacks.append(f"fewer answers with trusted thumbs alone than the {settings.min_thumbs} that KTO needs")
    said = ", then ".join(steps) if len(steps) > 1 else "SFT alone"
    if lacks:
        return f"{said}: {'; '.join(lacks)}"
    return said if len(steps) > 1 else f"{said}, as the settings say"
