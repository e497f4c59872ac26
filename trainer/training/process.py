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
from transformers import AutoModelForCausalLM, AutoTokenizer, EarlyStoppingCallback

from store.artifacts import sweep, write_json
from store.errors import BadInput
from store.failpoints import failpoint
from store.settings import TrainingSettings
from trainer.memory import parts_of_step
from trainer.train import (
    ADAPTER,
    CHECKPOINTS,
    DONE_FILE,
    DPO,
    KTO,
    PREFERENCE_CHECKPOINTS,
    PREFERRED,
    PROGRESS_FILE,
    RUN_FILE,
    SFT,
    SUPERVISED,
    THUMB_CHECKPOINTS,
)
from trainer.training import kto, packed_model, team, tracking
from trainer.training.card import model_card
from trainer.training.checkpoints import PREFIX, latest
from trainer.training.hardware import Hardware, detect, limit_memory
from trainer.training.packing import PackCollator
from trainer.training.preference import (
    PackedPreferenceTrainer,
    PreferenceTrainer,
    dpo_arguments,
    packed_dataset,
    plain_dataset,
    preferences,
    settings_of_stage,
)
from trainer.training.progress import ProgressCallback, ProgressFile
from trainer.training.publish import publish
from trainer.training.rows import Rows, read_rows
from trainer.training.trainer import NightTrainer, PackedTrainer, arguments, as_dataset, divided, lora

LIBRARIES = ("torch", "transformers", "trl", "peft", "accelerate", "datasets")


@dataclass(frozen=True)
class _Run:
    folder: Path
    job: dict[str, Any]
    settings: TrainingSettings
    tokenizer: Any
    rows: Rows
    parts: int
    """In how many parts each step is computed: more than one once memory ran out."""
    hardware: Hardware

    def load(self) -> tuple[Any, bool]:
        """The base model, and whether it takes the packed way."""
        model = AutoModelForCausalLM.from_pretrained(self.job["base_model"], dtype=self.hardware.dtype)  # nosec B615
        return model, not self.hardware.gpu and packed_model.enable(model, self.rows.train)

    def progress(self, method: str, checkpoint: Path | None) -> ProgressFile:
        """The progress file, as the checkpoint of this method left it."""
        step = int(checkpoint.name.removeprefix(PREFIX)) if checkpoint else 0
        return ProgressFile(self.folder / PROGRESS_FILE, method, step)


def run(folder: Path) -> None:
    """Train the job that `run.json` in the folder describes, and leave `adapter/` and `done.json` there.

    Raises:
        BadInput: the rows, a tracker, or so many processes cannot be used.
    """
    job = json.loads((folder / RUN_FILE).read_text())
    settings = TrainingSettings.model_validate(job["settings"])
    hardware = detect()
    team.join(gpu=hardware.gpu)
    if hardware.gpu:
        limit_memory(settings.gpu_memory_share)
    if settings.batch_size % team.size():
        raise BadInput(
            f"NIGHTSCHOOL_TRAINING__BATCH_SIZE is {settings.batch_size}, which {team.size()} processes "
            "(NIGHTSCHOOL_TRAINING__PROCESSES) cannot share evenly."
        )
    tracking.check(settings.report_to)
    with _alone(folder):
        tokenizer = AutoTokenizer.from_pretrained(job["base_model"])  # nosec B615
        rows = read_rows(Path(job["dataset"]), tokenizer, settings.max_length)
        _train(_Run(folder, job, settings, tokenizer, rows, parts_of_step(folder), hardware))


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    if not team.leads():
        team.wait()
        yield
        return
    # The orphan of a killed parent may still be ending its last step.
    with (folder / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        sweep(folder)
        # All look for checkpoints: those that are not whole must be gone by then.
        for checkpoints in (CHECKPOINTS, PREFERENCE_CHECKPOINTS, THUMB_CHECKPOINTS):
            latest(folder / checkpoints)
        team.wait()
        yield


def _train(run: _Run) -> None:
    wanted = {DPO: run.job["preference"] and run.rows.pairs, KTO: run.job["thumbs"] and run.rows.thumbs}
    later = [method for method, rows in wanted.items() if rows]
    first, *others = [run.folder / name for name in (*(SUPERVISED, PREFERRED)[: len(later)], ADAPTER)]
    if not later or not team.agreed(first.exists()):
        _supervise(run, first)
    before = first
    for method, after in zip(later, others, strict=True):
        # The last one is finished with `done.json` alone.
        if method == later[-1] or not team.agreed(after.exists()):
            _go_on(run, method, before, after)
        before = after
    if team.leads():
        _finish(run)


def _supervise(run: _Run, adapter: Path) -> None:
    """The supervised stage: learn the right answers, and leave the adapter in its folder."""
    checkpoint = latest(run.folder / CHECKPOINTS)
    progress = run.progress(SFT, checkpoint)
    trainer = _supervised(run, ProgressCallback(progress, run.job["checkpoint_every_s"]))
    if run.rows.held_out and run.settings.patience:
        trainer.add_callback(EarlyStoppingCallback(run.settings.patience))
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    _publish(run, trainer.model, adapter, progress)


def _supervised(run: _Run, callback: ProgressCallback) -> NightTrainer:
    model, packed = run.load()
    adapter = lora(run.settings, fast=packed)
    parent = run.job["parent"]
    held_out = run.rows.held_out
    output, rows = run.folder / CHECKPOINTS, len(run.rows.train)
    args = arguments(_rate(run), output, rows, run.hardware, held_out=bool(held_out))
    common = {
        # SFTTrainer puts a new adapter on a plain model, and takes one that has an adapter as it is.
        "model": PeftModel.from_pretrained(model, parent, is_trainable=True, config=adapter) if parent else model,
        "train_dataset": as_dataset(run.rows.train),
        "eval_dataset": as_dataset(held_out) if held_out else None,
        "processing_class": run.tokenizer,
        "peft_config": None if parent else adapter,
        "progress": callback,
    }
    if not packed:
        return NightTrainer(args=divided(args, run.parts), **common)
    return PackedTrainer(args=divided(args), collator=PackCollator(run.parts), hardware=run.hardware, **common)


def _rate(run: _Run) -> TrainingSettings:
    """The settings with the learning rate of this training: going onward, a lower one."""
    settings = run.settings
    if run.job["parent"] is None:
        return settings
    return settings.model_copy(update={"learning_rate": settings.learning_rate * settings.onward_learning_rate})


def _go_on(run: _Run, method: str, before: Path, after: Path) -> None:
    """A later stage, from the adapter of the one before it to its own."""
    output, make = {
        DPO: (run.folder / PREFERENCE_CHECKPOINTS, _preferring),
        KTO: (run.folder / THUMB_CHECKPOINTS, _with_thumbs),
    }[method]
    checkpoint = latest(output)
    progress = run.progress(method, checkpoint)
    model, packed = run.load()
    adapted = PeftModel.from_pretrained(model, before, is_trainable=True, config=lora(run.settings, fast=packed))
    callback = ProgressCallback(progress, run.job["checkpoint_every_s"])
    trainer = make(run, {"model": adapted, "processing_class": run.tokenizer, "progress": callback}, output, packed)
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    _publish(run, trainer.model, after, progress)


def _preferring(
    run: _Run, common: dict[str, Any], output: Path, packed: bool
) -> PackedPreferenceTrainer | PreferenceTrainer:
    pairs = run.rows.pairs
    if not packed:
        args = dpo_arguments(run.settings, output, len(pairs), run.hardware)
        return PreferenceTrainer(args=divided(args, run.parts), train_dataset=plain_dataset(pairs), **common)
    dataset = packed_dataset(pairs, preferences(common["model"].get_base_model(), pairs))
    args = arguments(settings_of_stage(run.settings), output, len(pairs), run.hardware)
    return PackedPreferenceTrainer(
        hardware=run.hardware,
        beta=run.settings.preference_beta,
        parts=run.parts,
        args=divided(args),
        train_dataset=dataset,
        **common,
    )


def _with_thumbs(
    run: _Run, common: dict[str, Any], output: Path, packed: bool
) -> kto.PackedThumbTrainer | kto.ThumbTrainer:
    rows = kto.voted_rows(run.rows.thumbs, run.settings)
    if not packed:
        args = kto.kto_arguments(run.settings, output, len(rows), run.hardware)
        # The KL term needs two rows at once.
        args = divided(args, min(run.parts, args.per_device_train_batch_size // 2))
        return kto.ThumbTrainer(args=args, train_dataset=kto.plain_dataset(rows), **common)
    dataset = kto.packed_dataset(common["model"].get_base_model(), rows)
    args = kto.packed_arguments(run.settings, output, len(rows), run.hardware)
    return kto.PackedThumbTrainer(
        hardware=run.hardware,
        beta=run.settings.preference_beta,
        parts=run.parts,
        args=divided(args),
        train_dataset=dataset,
        **common,
    )


def _publish(run: _Run, model: Any, adapter: Path, progress: ProgressFile) -> None:
    if team.leads():
        card = model_card(run.job, _data(run), _measured(run, progress))
        publish(model, adapter, Path(run.job["base_model"]).name, card)
    team.wait()


def _data(run: _Run) -> dict[str, Any]:
    return {
        "answers shown in an epoch, corrections as often as their weight": len(run.rows.train),
        "answers held out, on which the loss was watched": len(run.rows.held_out),
        "pairs of a correction and what it corrects": len(run.rows.pairs),
        "answers with votes alone": len(run.rows.thumbs) if run.job["thumbs"] else 0,
        "answers left out as too long": run.rows.too_long,
    }


def _measured(run: _Run, progress: ProgressFile) -> dict[str, Any]:
    kept = _kept(run, _lines(run))
    found: dict[str, Any] = {"tokens": progress.tokens, f"loss of the last step ({progress.method})": progress.loss}
    if kept:
        found["step that was kept"] = f"{kept['step']} of {kept['steps']}"
        found["loss on the answers held out, nats per token"] = kept["held_out_loss"]
    if run.parts > 1:
        found["parts of a step, for want of memory"] = run.parts
    return found


def _lines(run: _Run) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run.folder / PROGRESS_FILE).read_text().splitlines()]


def _finish(run: _Run) -> None:
    lines = _lines(run)
    losses = {
        method: [line["loss"] for line in lines if line["method"] == method and "loss" in line]
        for method in (SFT, DPO, KTO)
    }
    write_json(
        run.folder / DONE_FILE,
        {
            "versions": {name: version(name) for name in LIBRARIES},
            "seconds": lines[-1]["seconds"],
            "tokens": lines[-1]["tokens"],
            "final_loss": losses[SFT][-1],
            "kept": _kept(run, lines),
            "parts": run.parts,
            "preference": {"pairs": len(run.rows.pairs), "loss": losses[DPO][-1]} if losses[DPO] else {},
            "thumbs": _thumbs(run, losses[KTO]),
        },
    )
    failpoint("training.done")


def _thumbs(run: _Run, losses: list[float]) -> dict[str, float]:
    """How many good and bad answers the stage for lone thumbs had, and its last loss; empty without one."""
    if not losses:
        return {}
    up = sum(thumb.weight > 0 for thumb in run.rows.thumbs)
    return {"up": up, "down": len(run.rows.thumbs) - up, "loss": losses[-1]}


def _kept(run: _Run, lines: list[dict[str, Any]]) -> dict[str, float]:
    """Which step's adapter the supervised stage kept, of how many, and its held-out loss; empty without such rows."""
    found = [line for line in lines if "held_out_loss" in line]
    if not found:
        return {}
    # Of equal losses the Trainer keeps the first, as does `min`.
    best = min(found, key=lambda line: line["held_out_loss"]) if run.settings.patience else found[-1]
    return {"step": best["step"], "steps": best["steps"], "held_out_loss": best["held_out_loss"]}
