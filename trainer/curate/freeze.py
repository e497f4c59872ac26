"""A dataset on disk: one parquet file and its manifest, in a folder that never changes.

The same rows give the same bytes.
"""

import hashlib
import json
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, NotRequired, TypedDict

import pyarrow as pa
import pyarrow.parquet as pq

from store import artifacts
from store.prompt import ChatMessage
from store.words import Split
from trainer.curate.lesson import Lesson

ROWS = "rows.parquet"
PACKAGES = ("pyarrow", "datasketch", "tokenizers")

SCHEMA = pa.schema(
    [
        ("prompt", pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))),
        ("completion", pa.string()),
        ("rejected", pa.string()),
        ("weight", pa.int32()),
        ("corrected", pa.bool_()),
        ("answer_id", pa.int64()),
        ("ticket_id", pa.int64()),
        ("review_id", pa.int64()),
        ("split", pa.string()),
    ]
)
THUMB = "thumb"
"""In the column `split`: an answer that votes alone speak of. `thumb` is by how much: -1 surely bad, 1 surely good."""
WITH_THUMBS = SCHEMA.append(pa.field(THUMB, pa.float64()))


class Row(TypedDict):
    """One row of the parquet file, with its columns' names."""

    prompt: list[ChatMessage]
    completion: str
    rejected: str
    weight: int
    corrected: bool
    answer_id: int
    ticket_id: int
    review_id: int | None
    split: str
    thumb: NotRequired[float]


@dataclass(frozen=True)
class Frozen:
    """A frozen dataset: its parquet file, that file's sha256, and the manifest beside it."""

    path: Path
    sha256: str
    manifest: dict[str, Any]


def rows_of(lessons: Sequence[Lesson], correction_weight: int) -> list[Row]:
    """The rows of a dataset, ordered by answer; a correction is shown `correction_weight` times an epoch."""
    return [
        _thumb_row(lesson) if lesson.votes else _row(lesson, correction_weight)
        for lesson in sorted(lessons, key=lambda lesson: lesson.answer_id)
    ]


def fingerprint(rows: Sequence[Row]) -> str:
    """One hash of what is learnt: equal for datasets that differ in held-out rows alone."""
    digest = hashlib.sha256()
    for row in rows:
        if row["split"] != Split.HELD_OUT:
            digest.update(json.dumps(row, sort_keys=True, ensure_ascii=False).encode() + b"\n")
    return digest.hexdigest()


def freeze(folder: Path, rows: Sequence[Row], facts: dict[str, Any]) -> Frozen:
    """Write the rows into a new folder, with a manifest that also tells the `facts`.

    Raises:
        FileExistsError: there is such a folder already.
    """
    with artifacts.new_folder(folder) as new:
        schema = WITH_THUMBS if any(row["split"] == THUMB for row in rows) else SCHEMA
        pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), new / ROWS, compression="zstd")
        sha256 = artifacts.sha256_of(new / ROWS)
        manifest = {
            "rows": {split.value: sum(row["split"] == split for row in rows) for split in Split},
            "sha256": sha256,
            "versions": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
            **facts,
        }
        artifacts.write_json(new / artifacts.MANIFEST, manifest)
    return Frozen(folder / ROWS, sha256, manifest)


def _row(lesson: Lesson, correction_weight: int) -> Row:
    return {
        "prompt": lesson.prompt,
        "completion": lesson.completion,
        "rejected": lesson.rejected if lesson.rejected != lesson.completion else "",
        "weight": correction_weight if lesson.corrected else 1,
        "corrected": lesson.corrected,
        "answer_id": lesson.answer_id,
        "ticket_id": lesson.ticket_id,
        "review_id": lesson.review_id,
        "split": lesson.split.value,
    }


def _thumb_row(lesson: Lesson) -> Row:
    return {
        **_row(lesson, 0),
        "weight": 0,
        "review_id": None,
        "split": THUMB,
        "thumb": lesson.thumb,
    }
