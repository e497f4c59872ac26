"""TRL's SFTTrainer with our rows, our checkpoints and our progress."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import LoraConfig
from transformers import Trainer
from trl import SFTConfig, SFTTrainer

from store.settings import TrainingSettings
from trainer.training.checkpoints import PREFIX, mark_complete
from trainer.training.progress import ProgressCallback
from trainer.training.rows import Row

IGNORED = -100
WARMUP_SHARE = 0.05
KEPT_CHECKPOINTS = 2


def as_dataset(rows: Sequence[Row]) -> Dataset:
    """Rows as the token ids and labels that SFTTrainer takes as they are; only completion tokens carry a label."""
    return Dataset.from_dict(
        {
            "input_ids": [row.ids for row in rows],
            "labels": [[IGNORED] * row.completion_start + row.ids[row.completion_start :] for row in rows],
        }
    )


def arguments(settings: TrainingSettings, output: Path, rows: int) -> SFTConfig:
    """The Trainer's arguments: seeded, linear warmup and decay, nothing written but what we ask for."""
    steps = int(-(-rows // settings.batch_size) * settings.epochs)
    return SFTConfig(
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
        use_cpu=not torch.cuda.is_available(),
        bf16=torch.cuda.is_available(),
        logging_steps=1,
        save_strategy="no",
        save_total_limit=KEPT_CHECKPOINTS,
        report_to=[],
        disable_tqdm=True,
        dataloader_pin_memory=False,
    )


def lora(settings: TrainingSettings) -> LoraConfig:
    """Plain LoRA on every linear layer of the decoder: what vLLM can serve."""
    return LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=0.0,
        target_modules="all-linear",
        bias="none",
        task_type="CAUSAL_LM",
    )


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
        Trainer._save_checkpoint(self, model, trial)
        mark_complete(Path(self.args.output_dir) / f"{PREFIX}{self.state.global_step}")
