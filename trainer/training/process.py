"""What the training process does: read the rows, load the model, train or resume, publish the adapter."""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from store.artifacts import write_json
from store.settings import TrainingSettings
from trainer.train import ADAPTER, CHECKPOINTS, DONE_FILE, PROGRESS_FILE, RUN_FILE
from trainer.training.checkpoints import PREFIX, latest
from trainer.training.progress import ProgressCallback, ProgressFile
from trainer.training.publish import model_card, publish
from trainer.training.rows import Rows, read_rows
from trainer.training.trainer import NightTrainer, arguments, as_dataset, lora

LIBRARIES = ("torch", "transformers", "trl", "peft", "accelerate", "datasets")


def run(folder: Path) -> None:
    """Train the job that `run.json` in the folder describes, and leave `adapter/` and `done.json` there.

    Raises:
        BadInput: the rows cannot be used.
    """
    job = json.loads((folder / RUN_FILE).read_text())
    settings = TrainingSettings.model_validate(job["settings"])
    with _alone(folder):
        tokenizer = AutoTokenizer.from_pretrained(job["base_model"])
        rows = read_rows(Path(job["dataset"]), tokenizer, settings.max_length)
        _train(folder, job, settings, tokenizer, rows)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    # The orphan of a killed parent may still be ending its last step.
    with (folder / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _train(folder: Path, job: dict[str, Any], settings: TrainingSettings, tokenizer: Any, rows: Rows) -> None:
    checkpoint = latest(folder / CHECKPOINTS)
    resumed_step = int(checkpoint.name.removeprefix(PREFIX)) if checkpoint else 0
    progress = ProgressFile(folder / PROGRESS_FILE, resumed_step)
    trainer = NightTrainer(
        model=AutoModelForCausalLM.from_pretrained(job["base_model"], dtype=torch.float32),
        args=arguments(settings, folder / CHECKPOINTS, len(rows.train)),
        train_dataset=as_dataset(rows.train),
        processing_class=tokenizer,
        peft_config=lora(settings),
        progress=ProgressCallback(progress, job["checkpoint_every_s"]),
    )
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    figures = {
        "rows": len(rows.train),
        "rows left out as too long": rows.too_long,
        "steps": trainer.state.global_step,
        "tokens": progress.tokens,
        "final loss": round(progress.loss, 4),
    }
    publish(trainer.model, folder / ADAPTER, Path(job["base_model"]).name, model_card(job, figures))
    write_json(
        folder / DONE_FILE,
        {
            "versions": {name: version(name) for name in LIBRARIES},
            "seconds": round(progress.seconds, 3),
            "tokens": progress.tokens,
            "final_loss": progress.loss,
        },
    )
