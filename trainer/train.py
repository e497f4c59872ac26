"""Train one adapter in a process of its own, and follow it.

`train` starts `python -m trainer.training FOLDER`, forwards its progress, and turns its end into a result or a
sentence. Nothing here imports torch: a training that dies of memory takes only itself along. Files in the job's folder:
`run.json` the job, `progress.jsonl` one line a step, `checkpoints/`, `adapter/`, `done.json` the result, `train.log`;
where preferences or lone thumbs are learnt too, `supervised/` is the adapter before these stages, and `preferred/` the
one between them.
"""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from store.artifacts import sha256_of, write_json
from store.errors import NightschoolError
from store.settings import TrainingSettings
from trainer.launch import command, environment
from trainer.memory import MEMORY_FILE, OUT_OF_MEMORY, Watch, divide

RUN_FILE = "run.json"
PROGRESS_FILE = "progress.jsonl"
DONE_FILE = "done.json"
ERROR_FILE = "error.json"
EXIT_CODE_FILE = "exit-code"
LOG_FILE = "train.log"
CHECKPOINTS = "checkpoints"
ADAPTER = "adapter"
SUPERVISED = "supervised"
PREFERRED = "preferred"
PREFERENCE_CHECKPOINTS, THUMB_CHECKPOINTS = "preference-checkpoints", "thumb-checkpoints"
SFT, DPO, KTO = "SFT", "DPO", "KTO"
ADAPTER_WEIGHTS = "adapter_model.safetensors"
POLL_S = 0.25
STOP_PATIENCE_S = 10.0

# Like OUT_OF_MEMORY, the exit code for an end that the process may be too starved to write about.
DISK_FULL = 72
SENTENCES = {
    OUT_OF_MEMORY: "The training ran out of memory even with one row at a time. Lower "
    "NIGHTSCHOOL_TRAINING__MAX_LENGTH or NIGHTSCHOOL_TRAINING__RANK, or give the machine more memory.",
    DISK_FULL: "The disk is full. Free some space; the next run goes on where this one stopped.",
    -signal.SIGKILL: "The training process was killed, most often because the machine ran out of memory; the next "
    "run goes on where it stopped. If it recurs, lower NIGHTSCHOOL_TRAINING__BATCH_SIZE or "
    "NIGHTSCHOOL_TRAINING__MAX_LENGTH.",
    -signal.SIGTERM: "The training process was told to stop; the next run goes on where it stopped.",
}


class TrainingFailed(NightschoolError):
    """The training process ended without an adapter; the message says why and what to do."""


@dataclass(frozen=True)
class TrainingJob:
    """What to train on what; `folder` keeps everything that a killed training needs to go on."""

    folder: Path
    base_model: Path
    base_sha256: str
    dataset: Path
    settings: TrainingSettings
    name: str
    """Where the adapter comes from, for its model card, such as `night 12 on v6`."""
    preference: bool = False
    """Whether a preference stage follows the supervised one, on the rows that have a rejected answer."""
    thumbs: bool = False
    """Whether a stage for lone thumbs comes last, on the rows that have one."""
    parent: Path | None = None
    """Folder of the adapter to go on from; None starts from the base model."""
    checkpoint_every_s: float = 60.0
    """At most so much work is lost when the training is killed, in seconds."""


@dataclass(frozen=True)
class TrainingProgress:
    """Where a running training stands.

    The loss is the mean over the step's completion tokens, in nats; of the later stages that of their pairs or thumbs.
    """

    method: str
    """`SFT`, `DPO` or `KTO`."""
    step: int
    steps: int
    loss: float
    learning_rate: float
    tokens_per_s: float
    seconds_left: float


@dataclass(frozen=True)
class TrainingResult:
    """A finished training: the adapter's folder holds weights, configuration and model card, and nothing else."""

    adapter: Path
    metrics: list[dict[str, Any]]
    versions: dict[str, str]
    seconds: float
    tokens: int
    final_loss: float
    """Of the supervised stage."""
    preference: dict[str, float]
    """Of the preference stage: how many pairs, and the last loss; empty without one."""
    thumbs: dict[str, float] = field(default_factory=dict)
    """Of the stage for lone thumbs: how many were good and how many bad (`up`, `down`), and the last loss."""
    kept: dict[str, float] = field(default_factory=dict)
    """The `step` of how many `steps` whose adapter was kept, and its `held_out_loss`; empty without held-out rows."""
    parts: int = 1
    """In how many parts each step was computed at the end; more than one after memory ran out."""


def train(
    job: TrainingJob,
    on_progress: Callable[[TrainingProgress], None],
    on_wait: Callable[[], None] = lambda: None,
    say: Callable[[str], None] = lambda _: None,
) -> TrainingResult:
    """Train the adapter of a job, or go on where an earlier, killed training of the same job stopped.

    A job that finished before returns its result at once. One that runs out of memory goes on from its checkpoint in
    smaller parts, and `say` is told. `on_wait` is called several times a second. An exception in any of them, Ctrl-C as
    well, stops the training and leaves it resumable.

    Raises:
        TrainingFailed: no adapter came out: memory or disk ran out, the process was killed, or the rows are unusable.
    """
    _prepare_folder(job)
    while not (job.folder / DONE_FILE).exists():
        memory = Watch()
        exit_code = _run_process(job, on_progress, on_wait)
        if (job.folder / DONE_FILE).exists():
            break
        parts = divide(job.folder, job.settings.batch_size) if memory.ran_out(exit_code) else None
        if parts is None:
            raise TrainingFailed(_reason(job.folder, exit_code))
        say(f"The training ran out of memory. It goes on with each step computed in {parts} parts: the same loss.")
    return _result(job.folder)


def _prepare_folder(job: TrainingJob) -> None:
    """Write `run.json`; what another job left in the folder is removed, since it could not be continued."""
    if not job.dataset.is_file():
        raise TrainingFailed(f"The training set {job.dataset} is missing; run the night again to build it.")
    if job.parent is not None and not (job.parent / ADAPTER_WEIGHTS).is_file():
        raise TrainingFailed(
            f"The adapter to go on from, {job.parent}, is missing; restore it, or set NIGHTSCHOOL_TRAINING__START=base "
            "and run the night again."
        )
    job.folder.mkdir(parents=True, exist_ok=True)
    run = {
        "base_model": str(job.base_model.resolve()),
        "base_sha256": job.base_sha256,
        "checkpoint_every_s": job.checkpoint_every_s,
        "dataset": str(job.dataset.resolve()),
        "dataset_sha256": sha256_of(job.dataset),
        "name": job.name,
        "preference": job.preference,
        "thumbs": job.thumbs,
        "parent": str(job.parent.resolve()) if job.parent else None,
        "parent_sha256": sha256_of(job.parent / ADAPTER_WEIGHTS) if job.parent else None,
        "settings": job.settings.model_dump(mode="json"),
    }
    file = job.folder / RUN_FILE
    if not file.exists() or json.loads(file.read_text()) != run:
        for leftover in (DONE_FILE, PROGRESS_FILE, ERROR_FILE, MEMORY_FILE):
            (job.folder / leftover).unlink(missing_ok=True)
        for leftover in (CHECKPOINTS, SUPERVISED, PREFERENCE_CHECKPOINTS, PREFERRED, THUMB_CHECKPOINTS, ADAPTER):
            shutil.rmtree(job.folder / leftover, ignore_errors=True)
        write_json(file, run)


def _run_process(job: TrainingJob, on_progress: Callable[[TrainingProgress], None], on_wait: Callable[[], None]) -> int:
    """Run the training process to its end, and return its exit code."""
    for leftover in (ERROR_FILE, EXIT_CODE_FILE):
        (job.folder / leftover).unlink(missing_ok=True)
    with (job.folder / LOG_FILE).open("ab") as log:
        process = subprocess.Popen(
            command(job.folder, job.settings),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment(job.folder.parent, job.settings.threads, job.settings.processes),
        )
    follower = _Follower(job.folder / PROGRESS_FILE, process.pid)
    with _stopped_on_error(process):
        while process.poll() is None:
            for progress in follower.news():
                on_progress(progress)
            on_wait()
            time.sleep(POLL_S)
        for progress in follower.news():
            on_progress(progress)
    told = job.folder / EXIT_CODE_FILE
    return int(told.read_text()) if told.exists() else process.returncode


@contextmanager
def _stopped_on_error(process: subprocess.Popen[bytes]) -> Iterator[None]:
    try:
        yield
    except BaseException:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_PATIENCE_S)
        process.kill()
        process.wait()
        raise


class _Follower:
    """Reads the whole lines that one process added to the progress file since the last look."""

    def __init__(self, file: Path, process: int) -> None:
        self._file = file
        self._process = process
        self._inode = 0
        self._offset = 0

    def news(self) -> list[TrainingProgress]:
        if not self._file.exists():
            return []
        with self._file.open("rb") as file:
            inode = os.fstat(file.fileno()).st_ino
            if inode != self._inode:
                # A resumed training writes the file anew, without the steps that came after its checkpoint.
                self._inode, self._offset = inode, 0
            file.seek(self._offset)
            whole, newline, _ = file.read().rpartition(b"\n")
        self._offset += len(whole + newline)
        lines = (json.loads(line) for line in whole.splitlines())
        return [_progress(line) for line in lines if line["process"] == self._process and "loss" in line]


def _progress(line: dict[str, Any]) -> TrainingProgress:
    return TrainingProgress(**{name: line[name] for name in TrainingProgress.__dataclass_fields__})


def _reason(folder: Path, exit_code: int) -> str:
    log = folder / LOG_FILE
    if (folder / ERROR_FILE).exists():
        return str(json.loads((folder / ERROR_FILE).read_text())["message"])
    if exit_code in SENTENCES:
        return SENTENCES[exit_code]
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    last = lines[-1] if lines else "it wrote nothing"
    return f"The training process failed (exit code {exit_code}): {last}. The whole log is {log}."


def _result(folder: Path) -> TrainingResult:
    done = json.loads((folder / DONE_FILE).read_text())
    metrics = [json.loads(line) for line in (folder / PROGRESS_FILE).read_text().splitlines()]
    return TrainingResult(adapter=folder / ADAPTER, metrics=metrics, **done)
