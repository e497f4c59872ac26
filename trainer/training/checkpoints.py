"""Checkpoints that are known to be whole.

The Trainer writes `checkpoint-N` in place and resumes from the highest number, whole or not. Ours counts only once a
marker with the sha256 of every file is in it, written after everything else reached the disk.
"""

import json
import os
import shutil
from pathlib import Path

from store.artifacts import manifest_sha256, sha256_of, write_json
from store.failpoints import failpoint

MARKER = "complete.json"
PREFIX = "checkpoint-"


def mark_complete(checkpoint: Path) -> None:
    """Declare a checkpoint whole: flush its files to the disk, then write the marker."""
    for file in _files(checkpoint):
        with file.open("rb") as handle:
            os.fsync(handle.fileno())
    failpoint("checkpoint.written")
    write_json(checkpoint / MARKER, {"sha256": _sha256(checkpoint)})
    failpoint("checkpoint.marked")


def latest(folder: Path) -> Path | None:
    """The newest whole checkpoint; those that are not whole are removed."""
    found = sorted(folder.glob(f"{PREFIX}*"), key=lambda path: int(path.name.removeprefix(PREFIX)), reverse=True)
    for checkpoint in found:
        if _is_whole(checkpoint):
            return checkpoint
        shutil.rmtree(checkpoint)
    return None


def _is_whole(checkpoint: Path) -> bool:
    marker = checkpoint / MARKER
    if not marker.exists():
        return False
    return bool(json.loads(marker.read_text())["sha256"] == _sha256(checkpoint))


def _sha256(checkpoint: Path) -> str:
    return manifest_sha256({str(file.relative_to(checkpoint)): sha256_of(file) for file in _files(checkpoint)})


def _files(checkpoint: Path) -> list[Path]:
    # DPOTrainer keeps its reference adapter in a folder within the checkpoint.
    return [file for file in checkpoint.rglob("*") if file.is_file() and file.name != MARKER]
