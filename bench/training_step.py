"""A training step against stock TRL: same rows, same rank, same seed, same loss; fresh processes that take turns.

Speed is in real tokens: padding is not counted, and a row's share of the common prompt is, in all. Since every process
trains on the same batches in the same order, the losses can be compared step by step.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from bench.product import MODELS
from serving.base_model import ensure_base_model
from store.prompt import question_messages
from store.settings import DEFAULT_SYSTEM_PROMPT, Settings, TrainingSettings
from trainer.launch import environment
from trainer.train import TrainingJob, train

TITLE = "Training: a step against stock TRL SFTTrainer"

ROOT = Path(__file__).parents[1]
SHOP_SUPPORT = ROOT.parent / "shared" / "data" / "shop_support" / "train.jsonl"
SAMPLE_COMPANY = ROOT / "deploy" / "sample_company" / "tickets.jsonl"
SOURCE = SHOP_SUPPORT if SHOP_SUPPORT.exists() else SAMPLE_COMPANY

KINDS = {
    "stock": "TRL SFTTrainer, float32",
    "stock_bf16": "TRL SFTTrainer, bf16 autocast (its default)",
    "ours": "Nightschool",
}
ROWS = 200
EPOCHS = 3
WARMUP_STEPS = 2


@dataclass(frozen=True)
class Run:
    """What one process measured: seconds, processor seconds, real tokens and loss of each step."""

    setup_s: float
    seconds: list[float]
    cpu_seconds: list[float]
    tokens: list[int]
    losses: list[float]

    def speed(self, seconds: Sequence[float]) -> float:
        """Median of real tokens a second after the first steps."""
        steps = zip(self.tokens[WARMUP_STEPS:], seconds[WARMUP_STEPS:], strict=True)
        return statistics.median(tokens / spent for tokens, spent in steps)


def table(quick: bool) -> str:
    """Measure all kinds in turn; a Markdown table with ratios, and what a whole run takes."""
    steps, rounds = (5, 2) if quick else (8, 3)
    with tempfile.TemporaryDirectory(prefix="nightschool-bench-") as folder:
        work = Path(folder)
        dataset = _dataset(work / "rows.parquet")
        base = ensure_base_model(Settings(home=work, models_folder=MODELS), say=_say)
        runs: dict[str, list[Run]] = {kind: [] for kind in KINDS}
        for number in range(rounds):
            for kind in KINDS:
                _say(f"{KINDS[kind]}, {steps} steps, round {number + 1} of {rounds} …")
                runs[kind].append(_measured(kind, base.path, dataset, steps, work))
        lines = [*_speed_lines(runs), "", _loss_line(runs)]
        if not quick:
            lines += ["", _whole_run(base.path, base.sha256, dataset, work, runs)]
    return "\n".join(lines)


def _say(text: str) -> None:
    sys.stderr.write(f"  {text}\n")


def _speed_lines(runs: dict[str, list[Run]]) -> list[str]:
    wall = {kind: statistics.median(run.speed(run.seconds) for run in made) for kind, made in runs.items()}
    cpu = {kind: statistics.median(run.speed(run.cpu_seconds) for run in made) for kind, made in runs.items()}
    lines = [
        "| | real tokens/s | × stock | tokens per CPU second | × stock | first step | mean loss of the last 3 steps |",
        "|---|---|---|---|---|---|---|",
    ]
    for kind, made in runs.items():
        first = statistics.median(run.seconds[0] for run in made)
        loss = statistics.mean(statistics.mean(run.losses[-3:]) for run in made)
        lines.append(
            f"| {KINDS[kind]} | {wall[kind]:.0f} | {wall[kind] / wall['stock']:.2f} | {cpu[kind]:.1f} | "
            f"{cpu[kind] / cpu['stock']:.2f} | {first:.0f} s | {loss:.4f} |"
        )
    return lines


def _loss_line(runs: dict[str, list[Run]]) -> str:
    settings, tokens = TrainingSettings(), statistics.mean(runs["ours"][0].tokens)
    stock, ours = runs["stock"][0].losses, runs["ours"][0].losses
    off = [100 * abs(mine / theirs - 1) for mine, theirs in zip(ours, stock, strict=True)]
    return (
        f"{len(stock)} steps of {settings.batch_size} rows of {SOURCE.parent.name}, {tokens / settings.batch_size:.0f} "
        f"tokens a row; LoRA rank {settings.rank} on all linear layers. Loss of ours against stock float32, step by "
        f"step: {statistics.mean(off):.2f} % apart on average, {max(off):.2f} % at most. Ours is compiled in its first "
        "step."
    )


def _whole_run(base: Path, sha256: str, dataset: Path, work: Path, runs: dict[str, list[Run]]) -> str:
    started = time.monotonic()
    job = TrainingJob(work / "whole", base, sha256, dataset, TrainingSettings(epochs=EPOCHS), "the benchmark")
    result = train(job, lambda _: None)
    seconds = time.monotonic() - started
    stock = statistics.median(run.setup_s + result.tokens / run.speed(run.seconds) for run in runs["stock"])
    return (
        f"Whole run, {ROWS} rows × {EPOCHS} epochs ({result.tokens:,} real tokens), from nothing to the adapter: "
        f"{seconds:.0f} s, of which {seconds - result.seconds:.0f} s are start, loading and writing. Stock float32 "
        f"would take {stock:.0f} s at its measured speed."
    )


def _dataset(file: Path) -> Path:
    rows = [json.loads(line) for line in SOURCE.read_text().splitlines()][:ROWS]
    columns = [
        {
            "prompt": question_messages(DEFAULT_SYSTEM_PROMPT, row["question"]),
            "completion": row["answer"],
            "rejected": "",
            "weight": 1,
            "answer_id": number,
            "ticket_id": number,
            "split": "train",
        }
        for number, row in enumerate(rows)
    ]
    pq.write_table(pa.Table.from_pylist(columns), file)
    return file


def _measured(kind: str, base: Path, dataset: Path, steps: int, work: Path) -> Run:
    """Train for some steps in a fresh process, with the environment that our training process gets."""
    out = work / "measured.json"
    # A cache of its own for each process, so that ours pays for compiling every time.
    with tempfile.TemporaryDirectory(dir=work) as cache:
        subprocess.run(
            [sys.executable, "-m", "bench.training_step", kind, str(base), str(dataset), str(steps), str(out)],
            env=environment(Path(cache)),
            cwd=ROOT,
            check=True,
            stdout=subprocess.DEVNULL,
        )
    return Run(**json.loads(out.read_text()))


def _worker(kind: str, base: Path, dataset: Path, steps: int, out: Path) -> None:
    """In the fresh process: set up one kind of trainer, run it, and write what was measured."""
    started = time.monotonic()
    trainer, clock = _trainer(kind, base, dataset, steps, out.parent)
    setup_s = time.monotonic() - started
    trainer.train()
    run = {"setup_s": setup_s, "seconds": clock.seconds, "cpu_seconds": clock.cpu_seconds}
    out.write_text(json.dumps(run | {"tokens": clock.tokens, "losses": clock.losses}))


def _trainer(kind: str, base: Path, dataset: Path, steps: int, work: Path) -> tuple[Any, Any]:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import SFTConfig, SFTTrainer

    from bench.step_clock import StepClock
    from trainer.training import packed_model
    from trainer.training.hardware import detect
    from trainer.training.rows import read_rows
    from trainer.training.trainer import PackedTrainer, arguments, as_dataset, lora

    settings, hardware = TrainingSettings(epochs=EPOCHS), detect()
    tokenizer = AutoTokenizer.from_pretrained(base)
    rows = read_rows(dataset, tokenizer, settings.max_length).train
    ours = kind == "ours"
    model = AutoModelForCausalLM.from_pretrained(base, dtype=hardware.dtype if ours else torch.float32)
    changes: dict[str, Any] = {"max_steps": steps}
    if not ours:
        # Stock as it comes: TRL turns gradient checkpointing on by default.
        changes |= {"gradient_checkpointing": SFTConfig.gradient_checkpointing, "bf16": kind == "stock_bf16"}
    clock = StepClock()
    parts = {
        "model": model,
        "args": replace(arguments(settings, work / "out", len(rows), hardware), **changes),
        "train_dataset": as_dataset(rows),
        "processing_class": tokenizer,
        "peft_config": lora(settings, fast=ours),
    }
    if not ours:
        return SFTTrainer(callbacks=[clock], **parts), clock
    if not packed_model.enable(model, rows):
        raise SystemExit("This model does not take the packed way; there is nothing to compare.")
    trainer = PackedTrainer(hardware=hardware, progress=clock, **parts)
    trainer.compile_now()
    return trainer, clock


if __name__ == "__main__":
    _worker(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]), Path(sys.argv[5]))
