"""The preference stage: the adapter learns to prefer a reviewer's correction to what the bot had said.

Direct preference optimisation (Rafailov et al. 2023, arXiv:2305.18290) with its sigmoid loss, as TRL's DPOTrainer has
it. The reference is the adapter as it came out of the supervised stage; it never moves, so its log-probabilities are
taken once, before the first step, instead of at every one.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from torch.nn.functional import logsigmoid
from transformers import TrainingArguments
from trl import DPOConfig, DPOTrainer

from store.settings import TrainingSettings
from trainer.training import team
from trainer.training.fast_loss import ChunkLoss, softmax_minus_target
from trainer.training.hardware import Hardware
from trainer.training.packed_model import log_probabilities
from trainer.training.packing import Pack, in_packs, packed
from trainer.training.progress import ProgressCallback
from trainer.training.rows import Pair
from trainer.training.trainer import PackedTrainer, arguments, save_checkpoint

Example = Mapping[str, Any]


def settings_of_stage(settings: TrainingSettings) -> TrainingSettings:
    """The settings with this stage's learning rate and passes; a step has as many rows, so half as many pairs."""
    changes = {
        "learning_rate": settings.preference_learning_rate,
        "epochs": settings.preference_epochs,
        "batch_size": max(1, settings.batch_size // 2),
    }
    return settings.model_copy(update=changes)


class PreferenceTrainer(DPOTrainer):  # type: ignore[misc]
    """TRL's DPOTrainer on our token ids, with our checkpoints and progress."""

    def __init__(self, *, progress: ProgressCallback, **kwargs: Any) -> None:
        super().__init__(callbacks=[progress], **kwargs)
        self._progress = progress

    def training_step(self, model: Any, inputs: dict[str, Any], num_items_in_batch: Any = None) -> torch.Tensor:
        """One forward and backward pass over a batch of pairs; counts its real tokens."""
        self._progress.count(int(inputs["attention_mask"].sum()))
        loss: torch.Tensor = super().training_step(model, inputs, num_items_in_batch)
        return loss

    def _prepare_dataset(self, dataset: Dataset, *_: Any) -> Dataset:
        # Already token ids, as the served model will see them.
        return dataset

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        # DPOTrainer's own would write a model card for every checkpoint.
        save_checkpoint(self, model, trial)


def dpo_arguments(settings: TrainingSettings, output: Path, pairs: int, hardware: Hardware) -> DPOConfig:
    """The arguments of TRL's DPOTrainer: those of the supervised stage, and beta."""
    shared = arguments(settings_of_stage(settings), output, pairs, hardware)
    common = {each.name: getattr(shared, each.name) for each in fields(TrainingArguments) if each.init}
    return DPOConfig(**common, beta=settings.preference_beta, max_length=None)


def plain_dataset(pairs: Sequence[Pair]) -> Dataset:
    """Pairs as the token ids that DPOTrainer's collator takes."""
    return Dataset.from_list(
        [
            {
                "prompt_ids": pair.chosen.ids[: pair.chosen.completion_start],
                "chosen_ids": pair.chosen.ids[pair.chosen.completion_start :],
                "rejected_ids": pair.rejected.ids[pair.rejected.completion_start :],
            }
            for pair in pairs
        ]
    )


@dataclass(frozen=True)
class PairPack:
    """Some pairs as one sequence, chosen and rejected in turn, and by how much the reference prefers each chosen."""

    pack: Pack
    references: torch.Tensor
    """Shape (pairs,): log-probability of chosen minus rejected, in nats, under the reference."""


class PairCollator:
    """Turns the pairs of a step into packs; the two rows of a pair stay together."""

    def __init__(self, parts: int = 1) -> None:
        self._parts = parts

    def __call__(self, examples: Sequence[Example]) -> dict[str, list[PairPack]]:
        """The packs of one step, under the only key of the batch."""
        pairs = [
            (example["chosen"], {**example["rejected"], "reference": example["reference"]}) for example in examples
        ]
        groups = in_packs(pairs, self._parts)
        return {"packs": [_pair_pack(group) for group in groups]}


def _pair_pack(group: Sequence[Sequence[Example]]) -> PairPack:
    rows = packed([row for pair in group for row in pair])
    return PairPack(rows, torch.tensor([rejected["reference"] for _, rejected in group]))


def packed_dataset(pairs: Sequence[Pair], references: Sequence[float]) -> Dataset:
    """Pairs with the reference's preference, as `PairCollator` takes them."""
    return Dataset.from_list(
        [
            # SFTTrainer wants a column of token ids to see that nothing is left to tokenise.
            {
                "input_ids": pair.chosen.ids,
                "chosen": pair.chosen.example,
                "rejected": pair.rejected.example,
                "reference": reference,
            }
            for pair, reference in zip(pairs, references, strict=True)
        ]
    )


def preferences(causal_lm: Any, pairs: Sequence[Pair], chunk_loss: ChunkLoss = softmax_minus_target) -> list[float]:
    """By how much a model as it stands prefers each chosen answer: the difference of log-probabilities, in nats."""
    bundles = [({"place": place, **pair.chosen.example}, pair.rejected.example) for place, pair in enumerate(pairs)]
    found = [0.0] * len(pairs)
    with torch.no_grad():
        for group in in_packs(bundles):
            logps = log_probabilities(causal_lm, packed([row for bundle in group for row in bundle]), chunk_loss)
            for bundle, (chosen, rejected) in zip(group, logps.view(-1, 2).tolist(), strict=True):
                found[bundle[0]["place"]] = chosen - rejected
    return found


class PackedPreferenceTrainer(PackedTrainer):
    """The same training for CPUs, over packed pairs."""

    def __init__(self, *, beta: float, parts: int = 1, **kwargs: Any) -> None:
        super().__init__(collator=PairCollator(parts), **kwargs)
        self._beta = beta

    def training_step(self, model: Any, inputs: dict[str, Any], num_items_in_batch: Any = None) -> torch.Tensor:
        """Forward and backward pass over the packs of a step; the loss is the mean over the step's pairs."""
        started = time.monotonic()
        model.train()
        packs: list[PairPack] = inputs["packs"]
        pairs = team.summed(sum(len(each.references) for each in packs))
        total = torch.zeros(())
        for each in packs:
            logps = log_probabilities(self._causal_lm, each.pack, self._chunk_loss).view(-1, 2)
            margins = logps[:, 0] - logps[:, 1] - each.references
            loss = -logsigmoid(self._beta * margins).sum() / pairs
            self.accelerator.backward(loss)
            total += loss.detach()
            self._progress.count(each.pack.real_tokens)
        self._compile_if_it_pays(time.monotonic() - started)
        return self._joined(total)
