"""TRL's SFTTrainer with our rows, our checkpoints, our progress, and on CPUs our faster forward and backward pass."""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import torch
from datasets import Dataset
from peft import LoraConfig
from transformers import Trainer, TrainerControl, TrainingArguments
from trl import SFTConfig, SFTTrainer

from store.settings import TrainingSettings
from trainer.memory import rows_at_once
from trainer.training import team
from trainer.training.checkpoints import PREFIX, mark_complete
from trainer.training.fast_lora import FastLoraLinear
from trainer.training.fast_loss import ChunkLoss, softmax_minus_target
from trainer.training.hardware import Hardware
from trainer.training.packed_model import compile_layers, summed_loss
from trainer.training.packing import Pack, PackCollator
from trainer.training.progress import ProgressCallback
from trainer.training.rows import Row

WARMUP_SHARE = 0.05
KEPT_CHECKPOINTS = 2

# Measured on two cores (docs/benchmarks.md): compiling takes about so long, then saves this share of a step.
COMPILE_S = 60.0
COMPILE_SAVES = 0.35
STEPS_BEFORE_COMPILING = 2

Arguments = TypeVar("Arguments", bound=TrainingArguments)


def as_dataset(rows: Sequence[Row]) -> Dataset:
    """Rows as the token ids and labels that SFTTrainer takes as they are."""
    return Dataset.from_list([row.example for row in rows])


def arguments(
    settings: TrainingSettings, output: Path, rows: int, hardware: Hardware, *, held_out: bool = False
) -> SFTConfig:
    """The Trainer's arguments: seeded, linear warmup and decay, nothing written but what we ask for.

    With `held_out` rows their loss is taken as often as the settings say, and the best adapter is the one that is kept.
    """
    epoch_steps = -(-rows // settings.batch_size)
    steps = int(epoch_steps * settings.epochs)
    watched = _watched(settings, epoch_steps) if held_out else {}
    return SFTConfig(
        **{"save_strategy": "no"} | watched,
        output_dir=str(output),
        num_train_epochs=settings.epochs,
        per_device_train_batch_size=settings.batch_size,
        per_device_eval_batch_size=settings.batch_size,
        learning_rate=settings.learning_rate,
        lr_scheduler_type="linear",
        warmup_steps=round(WARMUP_SHARE * steps),
        seed=settings.seed,
        data_seed=settings.seed,
        max_length=None,
        gradient_checkpointing=False,
        use_cpu=not hardware.gpu,
        bf16=hardware.gpu,
        remove_unused_columns=False,
        logging_steps=1,
        save_total_limit=KEPT_CHECKPOINTS,
        report_to=settings.report_to,
        disable_tqdm=True,
        dataloader_pin_memory=False,
    )


def _watched(settings: TrainingSettings, epoch_steps: int) -> dict[str, Any]:
    evaluated = {
        "eval_strategy": "steps",
        "eval_steps": max(1, -(-epoch_steps // settings.evaluations_per_epoch)),
        "metric_for_best_model": "eval_loss",
        "greater_is_better": False,
    }
    # The best adapter is saved as a checkpoint, so that a killed training still knows it.
    return evaluated | ({"save_strategy": "best", "load_best_model_at_end": True} if settings.patience else {})


def divided(args: Arguments, parts: int = 1) -> Arguments:
    """The same steps, each divided among the processes, and there into parts whose gradients are added up."""
    rows = max(1, args.per_device_train_batch_size // team.size())
    at_once = rows_at_once(rows, parts)
    return replace(
        args,
        per_device_train_batch_size=at_once,
        per_device_eval_batch_size=at_once,
        gradient_accumulation_steps=rows // at_once,
    )


def lora(settings: TrainingSettings, *, fast: bool) -> LoraConfig:
    """Plain LoRA on every linear layer of the decoder: what vLLM can serve."""
    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=0.0,
        target_modules="all-linear",
        bias="none",
        task_type="CAUSAL_LM",
    )
    if fast:
        config._register_custom_module({torch.nn.Linear: FastLoraLinear})
    return config


def save_checkpoint(trainer: Any, model: Any, trial: Any) -> None:
    """Save a checkpoint as transformers' Trainer does, and declare it whole once every process has written its part."""
    Trainer._save_checkpoint(trainer, model, trial)
    team.wait()
    if team.leads():
        mark_complete(Path(trainer.args.output_dir) / f"{PREFIX}{trainer.state.global_step}")
    team.wait()


class NightTrainer(SFTTrainer):  # type: ignore[misc]
    """SFTTrainer whose checkpoints carry a completeness marker and whose steps report their real tokens."""

    def __init__(self, *, progress: ProgressCallback, **kwargs: Any) -> None:
        super().__init__(callbacks=[progress], **kwargs)
        self._progress = progress

    def training_step(self, model: Any, inputs: dict[str, Any], num_items_in_batch: Any = None) -> torch.Tensor:
        """One forward and backward pass over a batch; counts its real tokens."""
        self._progress.count(int(inputs["attention_mask"].sum()))
        loss: torch.Tensor = super().training_step(model, inputs, num_items_in_batch)
        return loss

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        # SFTTrainer's own would write a model card for every checkpoint.
        save_checkpoint(self, model, trial)


class PackedTrainer(NightTrainer):
    """The same training for CPUs: packed rows, loss on scored tokens alone, layers compiled where that pays."""

    control: TrainerControl

    def __init__(self, *, hardware: Hardware, collator: Any = None, **kwargs: Any) -> None:
        super().__init__(data_collator=collator or PackCollator(), **kwargs)
        self._causal_lm = self.model.get_base_model()
        # Otherwise the first layer, whose input needs no gradient, would be compiled apart from the others.
        self._causal_lm.enable_input_require_grads()
        self._chunk_loss: ChunkLoss = softmax_minus_target
        self._may_compile = hardware.compiler
        self._steps_run = 0

    def training_step(self, model: Any, inputs: dict[str, Any], num_items_in_batch: Any = None) -> torch.Tensor:
        """Forward and backward pass over the packs of a step; the loss is the mean over the step's scored tokens."""
        started = time.monotonic()
        model.train()
        packs: list[Pack] = inputs["packs"]
        scored = team.summed(sum(len(each.targets) for each in packs))
        total = torch.zeros(())
        for each in packs:
            loss = summed_loss(self._causal_lm, each, self._chunk_loss) / scored
            self.accelerator.backward(loss)
            total += loss.detach()
            self._progress.count(each.real_tokens)
        self._compile_if_it_pays(time.monotonic() - started)
        return self._joined(total)

    def _joined(self, loss: torch.Tensor) -> torch.Tensor:
        """The loss and, in their place, the gradients of a step over all processes, from each one's own.

        By hand, since the model runs past the wrapper that does it for other models.
        """
        team.add_up_gradients(each for each in self.model.parameters() if each.requires_grad)
        return torch.tensor(team.summed(float(loss)))

    def compile_now(self) -> None:
        """Compile the layers; the next step takes the time that this costs."""
        self._chunk_loss = compile_layers(self._causal_lm)

    def _compile_if_it_pays(self, step_s: float) -> None:
        self._steps_run += 1
        if self._may_compile and self._steps_run == STEPS_BEFORE_COMPILING:
            left = self.state.max_steps - self.state.global_step - 1
            if left * step_s * COMPILE_SAVES > COMPILE_S:
                self.compile_now()

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        """The loss on the held-out rows, told to the callbacks and trackers as the Trainer's own would be."""
        metrics = {"eval_loss": self.held_out_loss()}
        self.log(dict(metrics))
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    def held_out_loss(self) -> float:
        """Mean loss per completion token that was not trained on, in nats."""
        total, scored = 0.0, 0
        size, rows = self.args.per_device_eval_batch_size, len(self.eval_dataset)
        for start in range(team.rank() * size, rows, team.size() * size):
            end = min(start + size, rows)
            for each in self.data_collator([self.eval_dataset[place] for place in range(start, end)])["packs"]:
                # Not under no_grad and not in eval mode, for which the layers would be compiled again.
                total += float(summed_loss(self._causal_lm, each, self._chunk_loss).detach())
                scored += len(each.targets)
        return team.summed(total) / team.summed(scored)
