"""A preference step against stock TRL DPOTrainer: same pairs, rank, seed, loss; fresh processes that take turns.

Speed is in real tokens of the pairs, padding not counted; both count chosen and rejected rows with their prompts. The
reference's log-probabilities are part of it: stock runs the reference at every step, ours once before the first, and
that pass is charged to the steps by the pairs that they show.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from bench.product import MODELS
from bench.training_step import ROOT, SHOP_SUPPORT, SOURCE
from serving.base_model import ensure_base_model
from store.prompt import question_messages
from store.settings import DEFAULT_SYSTEM_PROMPT, Settings, TrainingSettings
from trainer.launch import environment

TITLE = "Training: a preference step against stock TRL DPOTrainer"

KINDS = {
    "stock": "TRL DPOTrainer, float32",
    "stock_bf16": "TRL DPOTrainer, bf16 autocast (its default)",
    "ours": "Nightschool",
}
PAIRS = 64
WARMUP_STEPS = 2
START = "start"
SETTINGS = TrainingSettings(preference="auto", preference_learning_rate=1e-4, preference_epochs=2)


def table(quick: bool) -> str:
    """Measure all kinds in turn; a Markdown table with ratios."""
    if SOURCE != SHOP_SUPPORT:
        return f"Skipped: the public customer-support set is not at {SHOP_SUPPORT}."
    steps, rounds = (4, 1) if quick else (5, 2)
    with tempfile.TemporaryDirectory(prefix="nightschool-bench-") as folder:
        work = Path(folder)
        dataset = _dataset(work / "rows.parquet")
        base = ensure_base_model(Settings(home=work, models_folder=MODELS), say=_say)
        _measured("start", base.path, dataset, steps, work)
        runs: dict[str, list[dict[str, Any]]] = {kind: [] for kind in KINDS}
        for number in range(rounds):
            for kind in KINDS:
                _say(f"{KINDS[kind]}, {steps} steps, round {number + 1} of {rounds} …")
                runs[kind].append(_measured(kind, base.path, dataset, steps, work))
    return "\n".join([*_lines(runs), "", _loss_line(runs)])


def _say(text: str) -> None:
    sys.stderr.write(f"  {text}\n")


def _speed(run: dict[str, Any]) -> float:
    """Median of real tokens a second after the first steps, the reference's share of each included."""
    steps = list(zip(run["tokens"], run["seconds"], strict=True))[WARMUP_STEPS:]
    return float(statistics.median(tokens / (spent + run["reference_s_a_step"]) for tokens, spent in steps))


def _lines(runs: dict[str, list[dict[str, Any]]]) -> list[str]:
    speeds = {kind: statistics.median(_speed(run) for run in made) for kind, made in runs.items()}
    lines = [
        "| | real tokens/s | × stock | × bf16 | first step | mean loss of the last 3 steps |",
        "|---|---|---|---|---|---|",
    ]
    for kind, made in runs.items():
        first = statistics.median(run["seconds"][0] for run in made)
        loss = statistics.mean(statistics.mean(run["losses"][-3:]) for run in made)
        lines.append(
            f"| {KINDS[kind]} | {speeds[kind]:.0f} | {speeds[kind] / speeds['stock']:.2f} | "
            f"{speeds[kind] / speeds['stock_bf16']:.2f} | {first:.0f} s | {loss:.4f} |"
        )
    return lines


def _loss_line(runs: dict[str, list[dict[str, Any]]]) -> str:
    stock, ours = runs["stock"][0], runs["ours"][0]
    off = [abs(mine - theirs) for mine, theirs in zip(ours["losses"], stock["losses"], strict=True)]
    return (
        f"{len(off)} steps of {SETTINGS.batch_size // 2} pairs of {SOURCE.parent.name} (chosen: the policy's answer, "
        f"rejected: the row's own), {statistics.mean(ours['tokens']) / SETTINGS.batch_size:.0f} tokens a row; LoRA of "
        f"rank {SETTINGS.rank} on all linear layers. Loss of ours against stock float32, step by step: "
        f"{statistics.mean(off):.4f} apart on average, {max(off):.4f} at most. Ours is compiled in its first step."
    )


def _dataset(file: Path) -> Path:
    rows = [json.loads(line) for line in SOURCE.read_text().splitlines()][:PAIRS]
    columns = [
        {
            "prompt": question_messages(DEFAULT_SYSTEM_PROMPT, row["question"]),
            "completion": row["policy_answer"],
            "rejected": row["answer"],
            "weight": 1,
            "split": "train",
        }
        for row in rows
    ]
    pq.write_table(pa.Table.from_pylist(columns), file)
    return file


def _measured(kind: str, base: Path, dataset: Path, steps: int, work: Path) -> dict[str, Any]:
    """Train for some steps in a fresh process, with the environment that our training process gets."""
    out = work / "measured.json"
    with tempfile.TemporaryDirectory(dir=work) as cache:
        subprocess.run(
            [sys.executable, "-m", "bench.preference_step", kind, str(base), str(dataset), str(steps), str(out)],
            env=environment(Path(cache)),
            cwd=ROOT,
            check=True,
            stdout=subprocess.DEVNULL,
        )
    found: dict[str, Any] = json.loads(out.read_text())
    return found


def _worker(kind: str, base: Path, dataset: Path, steps: int, out: Path) -> None:
    """In the fresh process: set up one kind of trainer, run it, and write what was measured."""
    if kind == "start":
        _write_start(base, out.parent / START)
        out.write_text("{}")
        return
    trainer, clock, reference_s = _trainer(kind, base, dataset, steps, out.parent)
    trainer.train()
    a_step = reference_s * (SETTINGS.batch_size // 2) / (PAIRS * SETTINGS.preference_epochs)
    measured = {"seconds": clock.seconds, "tokens": clock.tokens, "losses": clock.losses, "reference_s_a_step": a_step}
    out.write_text(json.dumps(measured))


def _write_start(base: Path, folder: Path) -> None:
    """The adapter from which every kind starts, as one that comes from the supervised stage would be."""
    import torch
    from peft import get_peft_model
    from transformers import AutoModelForCausalLM

    from trainer.training.trainer import lora

    torch.manual_seed(SETTINGS.seed)
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    get_peft_model(model, lora(SETTINGS, fast=False)).save_pretrained(str(folder))


def _trainer(kind: str, base: Path, dataset: Path, steps: int, work: Path) -> tuple[Any, Any, float]:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import DPOConfig, DPOTrainer

    from bench.step_clock import StepClock
    from trainer.training import packed_model
    from trainer.training.hardware import detect
    from trainer.training.preference import (
        PackedPreferenceTrainer,
        dpo_arguments,
        packed_dataset,
        plain_dataset,
        preferences,
        settings_of_stage,
    )
    from trainer.training.rows import read_rows
    from trainer.training.trainer import arguments, lora

    hardware, clock = detect(), StepClock()
    tokenizer = AutoTokenizer.from_pretrained(base)
    rows = read_rows(dataset, tokenizer, SETTINGS.max_length)
    ours = kind == "ours"
    model = AutoModelForCausalLM.from_pretrained(base, dtype=hardware.dtype if ours else torch.float32)
    if not ours:

        class Stock(DPOTrainer):  # type: ignore[misc]
            """Stock, given the token ids that ours gets."""

            def _prepare_dataset(self, given: Any, *_: Any) -> Any:
                return given

            def training_step(self, model: Any, inputs: Any, *rest: Any) -> Any:
                clock.count(int(inputs["attention_mask"].sum()))
                return super().training_step(model, inputs, *rest)

        # Stock as it comes: TRL turns gradient checkpointing on by default.
        changes = {"gradient_checkpointing": DPOConfig.gradient_checkpointing, "bf16": kind == "stock_bf16"}
        args = replace(dpo_arguments(SETTINGS, work / "out", PAIRS, hardware), max_steps=steps, **changes)
        trainer = Stock(
            model=PeftModel.from_pretrained(model, work / START, is_trainable=True),
            args=args,
            train_dataset=plain_dataset(rows.pairs),
            processing_class=tokenizer,
            callbacks=[clock],
        )
        return trainer, clock, 0.0
    if not packed_model.enable(model, rows.train):
        raise SystemExit("This model does not take the packed way; there is nothing to compare.")
    adapted = PeftModel.from_pretrained(model, work / START, is_trainable=True, config=lora(SETTINGS, fast=True))
    started = time.monotonic()
    references = preferences(adapted.get_base_model(), rows.pairs)
    reference_s = time.monotonic() - started
    packed = PackedPreferenceTrainer(
        model=adapted,
        args=replace(arguments(settings_of_stage(SETTINGS), work / "out", PAIRS, hardware), max_steps=steps),
        train_dataset=packed_dataset(rows.pairs, references),
        processing_class=tokenizer,
        hardware=hardware,
        beta=SETTINGS.preference_beta,
        progress=clock,
    )
    packed.compile_now()
    return packed, clock, reference_s


if __name__ == "__main__":
    _worker(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]), Path(sys.argv[5]))
