"""The stage for lone thumbs: the adapter learns from answers that voters found good or bad, each by itself.

Kahneman-Tversky optimisation (Ethayarajh et al. 2024, arXiv:2402.01306), as TRL's KTOTrainer has it. Each row weighs as
much as its voters are trusted, and the fewer kind is raised towards the other (their equation 8). The reference is the
adapter as it came out of the stage before; as it never moves, its log-probabilities are taken once, before the first
step. The KL term is measured on the answers of a step under each other's prompts, so who is in a step together is
fixed: shuffled once, then the same in every pass.
"""

import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from torch.nn.functional import sigmoid
from transformers import TrainingArguments
from trl import KTOConfig, KTOTrainer, SFTConfig
from trl.trainer.kto_trainer import DataCollatorForUnpairedPreference

from store.settings import TrainingSettings
from trainer.training import team
from trainer.training.hardware import Hardware
from trainer.training.packed_model import log_probabilities
from trainer.training.packing import Pack, in_packs, packed
from trainer.training.progress import ProgressCallback
from trainer.training.rows import Row, Thumb
from trainer.training.trainer import PackedTrainer, arguments, save_checkpoint

Example = Mapping[str, Any]

MOST_RAISED = 4.0
"""The fewer kind is raised by no more than this: a single 👎 must not weigh as much as a hundred 👍."""


@dataclass(frozen=True)
class Voted:
    """One row of the stage: an answer, how much it weighs, and its prompt with another answer of the same step."""

    row: Row
    good: bool
    weight: float
    """Not negative: the voters' trust, times the balance of its kind."""
    mismatched: Row


def settings_of_stage(settings: TrainingSettings) -> TrainingSettings:
    """The settings with this stage's learning rate and passes."""
    changes = {"learning_rate": settings.preference_learning_rate, "epochs": settings.preference_epochs}
    return settings.model_copy(update=changes)


def balance(weights: Sequence[float]) -> tuple[float, float]:
    """The factors of good and of bad answers, of signed weights: the kind that weighs less comes up to the other."""
    good, bad = sum(weight for weight in weights if weight > 0), -sum(weight for weight in weights if weight < 0)
    if not good or not bad:
        return 1.0, 1.0
    return min(max(1.0, bad / good), MOST_RAISED), min(max(1.0, good / bad), MOST_RAISED)


def voted_rows(thumbs: Sequence[Thumb], settings: TrainingSettings) -> list[Voted]:
    """The rows of the stage in the order in which they are shown, steps of `batch_size` one after the other.

    Under another prompt an answer is cut where it exceeds the length limit: there it is only measured.
    """
    order = list(thumbs)
    random.Random(settings.seed).shuffle(order)
    # Alone in a step, an answer would be measured against itself.
    if len(order) > 1 and len(order) % settings.batch_size == 1:
        order.pop()
    of_good, of_bad = balance([thumb.weight for thumb in order])
    made = []
    for start in range(0, len(order), settings.batch_size):
        step = order[start : start + settings.batch_size]
        for place, thumb in enumerate(step):
            other = step[place - 1].row
            prompt = thumb.row.ids[: thumb.row.completion_start]
            ids = [*prompt, *other.ids[other.completion_start :]][: settings.max_length]
            factor = of_good if thumb.weight > 0 else of_bad
            mismatched = Row(ids, len(prompt))
            made.append(Voted(thumb.row, thumb.weight > 0, abs(thumb.weight) * factor, mismatched))
    return made


def packed_arguments(settings: TrainingSettings, output: Path, rows: int, hardware: Hardware) -> SFTConfig:
    """The Trainer's arguments, with the rows in their own order."""
    return replace(arguments(settings_of_stage(settings), output, rows, hardware), train_sampling_strategy="sequential")


def kto_arguments(settings: TrainingSettings, output: Path, rows: int, hardware: Hardware) -> KTOConfig:
    """The arguments of TRL's KTOTrainer: those of the supervised stage, and beta."""
    shared = packed_arguments(settings, output, rows, hardware)
    common = {each.name: getattr(shared, each.name) for each in fields(TrainingArguments) if each.init}
    return KTOConfig(**common, beta=settings.preference_beta, max_length=None)


def plain_dataset(rows: Sequence[Voted]) -> Dataset:
    """Rows as the token ids that KTOTrainer's collator takes, and their weights."""
    return Dataset.from_list(
        [
            {
                "prompt_ids": each.row.ids[: each.row.completion_start],
                "completion_ids": each.row.ids[each.row.completion_start :],
                "KL_completion_ids": each.mismatched.ids[each.row.completion_start :],
                "label": each.good,
                "weight": each.weight,
            }
            for each in rows
        ]
    )


class WeighingCollator(DataCollatorForUnpairedPreference):  # type: ignore[misc]
    """TRL's collator, which leaves the weights in the batch."""

    def torch_call(self, examples: list[dict[str, Any]]) -> dict[str, Any]:
        """The batch as KTOTrainer takes it, and `weight`, shape (rows,)."""
        batch: dict[str, Any] = super().torch_call(examples)
        return {**batch, "weight": torch.tensor([example["weight"] for example in examples])}


class ThumbTrainer(KTOTrainer):  # type: ignore[misc]
    """TRL's KTOTrainer on our token ids, each row with its own weight, with our checkpoints and progress."""

    def __init__(self, *, progress: ProgressCallback, processing_class: Any, **kwargs: Any) -> None:
        collator = WeighingCollator(pad_token_id=processing_class.pad_token_id)
        super().__init__(callbacks=[progress], data_collator=collator, processing_class=processing_class, **kwargs)
        self._progress = progress

    def compute_loss(self, model: Any, inputs: dict[str, Any], *rest: Any, **named: Any) -> Any:
        """TRL's loss. It multiplies the losses of each kind by a factor, which may as well be one factor a row."""
        batch = dict(inputs)
        weights, good = batch.pop("weight"), batch["label"].bool()
        self.desirable_weight, self.undesirable_weight = weights[good], weights[~good]
        return super().compute_loss(model, batch, *rest, **named)

    def training_step(self, model: Any, inputs: dict[str, Any], num_items_in_batch: Any = None) -> torch.Tensor:
        """One forward and backward pass over a batch; counts its real tokens."""
        self._progress.count(int(inputs["attention_mask"].sum()))
        loss: torch.Tensor = super().training_step(model, inputs, num_items_in_batch)
        return loss

    def _prepare_dataset(self, dataset: Dataset, *_: Any) -> Dataset:
        # Already token ids, as the served model will see them.
        return dataset

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        # KTOTrainer's own would write a model card for every checkpoint.
        save_checkpoint(self, model, trial)


@dataclass(frozen=True)
class ThumbPack:
    """Some rows as one sequence; of each its weight and its log-probability under the reference."""

    pack: Pack
    weights: torch.Tensor
    """Shape (rows,): positive for good answers, negative for bad ones."""
    references: torch.Tensor
    """Shape (rows,), in nats."""


class ThumbCollator:
    """Turns the rows of a step into packs: those to learn from, and those that the KL term is measured on."""

    def __init__(self, parts: int = 1) -> None:
        self._parts = parts

    def __call__(self, examples: Sequence[Example]) -> dict[str, list[ThumbPack]]:
        """The packs of one step: `packs` and `mismatched`."""
        mismatched = [
            {**each["mismatched"], "reference": each["mismatched_reference"], "weight": 0.0} for each in examples
        ]
        return {"packs": _packs(examples, self._parts), "mismatched": _packs(mismatched, self._parts)}


def _packs(examples: Sequence[Example], parts: int) -> list[ThumbPack]:
    groups = [[example for (example,) in group] for group in in_packs([[example] for example in examples], parts)]
    return [
        ThumbPack(
            packed(group),
            torch.tensor([example["weight"] for example in group]),
            torch.tensor([example["reference"] for example in group]),
        )
        for group in groups
    ]


def packed_dataset(causal_lm: Any, rows: Sequence[Voted]) -> Dataset:
    """Rows with their log-probabilities under the reference, the model as it stands, as `ThumbCollator` takes them."""
    references = likelihoods(causal_lm, [each.row for each in rows])
    mismatched = likelihoods(causal_lm, [each.mismatched for each in rows])
    return Dataset.from_list(
        [
            {
                **each.row.example,
                "weight": each.weight if each.good else -each.weight,
                "reference": reference,
                "mismatched": each.mismatched.example,
                "mismatched_reference": other,
            }
            for each, reference, other in zip(rows, references, mismatched, strict=True)
        ]
    )


def likelihoods(causal_lm: Any, rows: Sequence[Row]) -> list[float]:
    """The log-probability of each row's answer under a model as it stands, in nats."""
    found = [0.0] * len(rows)
    with torch.no_grad():
        for group in in_packs([[{"place": place, **row.example}] for place, row in enumerate(rows)]):
            logps = log_probabilities(causal_lm, packed([example for (example,) in group]))
            for (example,), logp in zip(group, logps.tolist(), strict=True):
                found[example["place"]] = logp
    return found


def losses(logps: torch.Tensor, pack: ThumbPack, kl: float, beta: float) -> torch.Tensor:
    """The loss of each row, shape (rows,): weight · (1 - σ(β · ±(log-ratio - KL))), the paper's equation 7."""
    margins = logps - pack.references - kl
    return pack.weights.abs() * (1 - sigmoid(beta * pack.weights.sign() * margins))


class PackedThumbTrainer(PackedTrainer):
    """The same training for CPUs, over packed rows."""

    def __init__(self, *, beta: float, parts: int = 1, **kwargs: Any) -> None:
        super().__init__(collator=ThumbCollator(parts), **kwargs)
        self._beta = beta

    def training_step(self, model: Any, inputs: dict[str, Any], num_items_in_batch: Any = None) -> torch.Tensor:
        """Forward and backward pass over the packs of a step; the loss is the mean over the step's rows."""
        started = time.monotonic()
        model.train()
        packs: list[ThumbPack] = inputs["packs"]
        rows = team.summed(sum(len(each.weights) for each in packs))
        kl = self._kl(inputs["mismatched"], rows)
        total = torch.zeros(())
        for each in packs:
            logps = log_probabilities(self._causal_lm, each.pack, self._chunk_loss)
            loss = losses(logps, each, kl, self._beta).sum() / rows
            self.accelerator.backward(loss)
            total += loss.detach()
            self._progress.count(each.pack.real_tokens)
        self._compile_if_it_pays(time.monotonic() - started)
        return self._joined(total)

    def _kl(self, mismatched: Sequence[ThumbPack], rows: float) -> float:
        """How far the adapter has moved from the reference: the mean log-ratio of answers under others' prompts."""
        total = 0.0
        for each in mismatched:
            # Not under no_grad, for which the layers would be compiled again.
            logps = log_probabilities(self._causal_lm, each.pack, self._chunk_loss).detach()
            total += float((logps - each.references).sum())
        return max(0.0, team.summed(total) / rows)
