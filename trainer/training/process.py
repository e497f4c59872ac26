"""What the training process does: read the rows, load the model, train or resume, publish the adapter."""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from store.artifacts import write_json
from store.settings import TrainingSettings
from trainer.train import ADAPTER, CHECKPOINTS, DONE_FILE, PROGRESS_FILE, RUN_FILE
from trainer.training import packed_model
from trainer.training.checkpoints import PREFIX, latest
from trainer.training.hardware import detect
from trainer.training.progress import HeldOutCallback, ProgressCallback, ProgressFile
from trainer.training.publish import model_card, publish
from trainer.training.rows import Rows, read_rows
from trainer.training.trainer import NightTrainer, PackedTrainer, arguments, as_dataset, lora

LIBRARIES = ("torch", "transformers", "trl", "peft", "accelerate", "datasets")


@dataclass(frozen=True)
class _Run:
    folder: Path
    job: dict[str, Any]
    settings: TrainingSettings


def run(folder: Path) -> None:
    """Train the job that `run.json` in the folder describes, and leave `adapter/` and `done.json` there.

    Raises:
        BadInput: the rows cannot be used.
    """
    job = json.loads((folder / RUN_FILE).read_text())
    with _alone(folder):
        _train(_Run(folder, job, TrainingSettings.model_validate(job["settings"])))


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    # The orphan of a killed parent may still be ending its last step.
    with (folder / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _train(run: _Run) -> None:
    tokenizer = AutoTokenizer.from_pretrained(run.job["base_model"])
    rows = read_rows(Path(run.job["dataset"]), tokenizer, run.settings.max_length)
    checkpoint = latest(run.folder / CHECKPOINTS)
    resumed_step = int(checkpoint.name.removeprefix(PREFIX)) if checkpoint else 0
    progress = ProgressFile(run.folder / PROGRESS_FILE, resumed_step)
    trainer = _trainer(run, tokenizer, rows, ProgressCallback(progress, run.job["checkpoint_every_s"]))
    if rows.held_out:
        trainer.add_callback(HeldOutCallback(progress, lambda: trainer.held_out_loss(rows.held_out)))
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    _finish(run, trainer, rows, progress)


def _trainer(run: _Run, tokenizer: Any, rows: Rows, callback: ProgressCallback) -> NightTrainer:
    hardware = detect()
    model = AutoModelForCausalLM.from_pretrained(run.job["base_model"], dtype=hardware.dtype)
    packed = not hardware.gpu and packed_model.enable(model, rows.train)
    adapter = lora(run.settings, fast=packed)
    parent = run.job["parent"]
    parts = {
        # SFTTrainer puts a new adapter on a plain model, and takes one that has an adapter as it is.
        "model": PeftModel.from_pretrained(model, parent, is_trainable=True, config=adapter) if parent else model,
        "args": arguments(_rate(run), run.folder / CHECKPOINTS, len(rows.train), hardware),
        "train_dataset": as_dataset(rows.train),
        "processing_class": tokenizer,
        "peft_config": None if parent else adapter,
        "progress": callback,
    }
    return PackedTrainer(hardware=hardware, **parts) if packed else NightTrainer(**parts)


def _rate(run: _Run) -> TrainingSettings:
    """The settings with the learning rate of this training: going onward, a lower one."""
    settings = run.settings
    if run.job["parent"] is None:
        return settings
    return settings.model_copy(update={"learning_rate": settings.learning_rate * settings.onward_learning_rate})


def _finish(run: _Run, trainer: NightTrainer, rows: Rows, progress: ProgressFile) -> None:
    figures = {
        "rows": len(rows.train),
        "rows left out as too long": rows.too_long,
        "steps": trainer.state.global_step,
        "tokens": progress.tokens,
        "final loss": round(progress.loss, 4),
    }
    publish(trainer.model, run.folder / ADAPTER, Path(run.job["base_model"]).name, model_card(run.job, figures))
    write_json(
        run.folder / DONE_FILE,
        {
            "versions": {name: version(name) for name in LIBRARIES},
            "seconds": round(progress.seconds, 3),
            "tokens": progress.tokens,
            "final_loss": progress.loss,
        },
    )
