"""Training rows: from the dataset's columns to token ids, exactly as the served model will see them.

The prompt is rendered by the tokenizer's chat template with the generation prompt, as vLLM does; the completion follows
as tokens of its own and ends with the end-of-turn token, so that the model learns to stop.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from store.errors import BadInput
from store.prompt import ChatMessage, neutralised

MAX_HELD_OUT = 64
IGNORED = -100
COLUMNS = ("prompt", "completion", "rejected", "weight", "split")
THUMB = "thumb"
"""A column, and in the column `split` the word for the rows that it is about."""


@dataclass(frozen=True)
class Row:
    """One conversation as token ids; the loss is on the tokens from `completion_start` on."""

    ids: list[int]
    completion_start: int

    @property
    def example(self) -> dict[str, list[int]]:
        """The row as SFTTrainer takes it: token ids, and labels on the completion alone."""
        labels = [IGNORED] * self.completion_start + self.ids[self.completion_start :]
        return {"input_ids": self.ids, "labels": labels}


@dataclass(frozen=True)
class Pair:
    """One conversation with two answers: the one that a reviewer stands behind, and the one that it corrects."""

    chosen: Row
    rejected: Row


@dataclass(frozen=True)
class Thumb:
    """One conversation whose answer votes alone speak of."""

    row: Row
    weight: float
    """How much they say, from -1 (surely bad) to 1 (surely good)."""


@dataclass(frozen=True)
class Rows:
    """What is trained on (a row as often as its weight says) and what is only measured on."""

    train: list[Row]
    held_out: list[Row]
    too_long: int
    """Distinct rows left out because they exceed the length limit."""
    pairs: list[Pair]
    """Of the rows to train on: those with a rejected answer, once each."""
    thumbs: list[Thumb] = field(default_factory=list)
    """What votes alone speak of."""


def encode(tokenizer: Any, prompt: Sequence[ChatMessage], completion: str) -> Row:
    """The token ids of a prompt and the answer to learn."""
    prompt_ids = tokenizer.apply_chat_template(list(prompt), add_generation_prompt=True, return_dict=True)["input_ids"]
    completion_ids = tokenizer(neutralised(completion), add_special_tokens=False)["input_ids"]
    return Row([*prompt_ids, *completion_ids, tokenizer.eos_token_id], len(prompt_ids))


def read_rows(dataset: Path, tokenizer: Any, max_length: int) -> Rows:
    """Read and encode a dataset (Parquet with prompt, completion, rejected, weight, split); too long rows are left out.

    A row of weight 0 is known to the adapter that is gone on with, and rests tonight. A dataset in which votes alone
    speak of some answers has a column `thumb` as well.

    Raises:
        BadInput: the file is damaged, a column is missing, or no row is left to train on.
    """
    try:
        known = pq.read_schema(dataset).names
        table = pq.read_table(dataset, columns=[*COLUMNS, *(name for name in known if name == THUMB)])
    except (OSError, ValueError, KeyError) as error:
        raise BadInput(f"The training set {dataset} cannot be read ({error}); run the night again.") from error
    rows = Rows([], [], 0, [])
    too_long = 0
    for number, values in enumerate(table.to_pylist(), start=1):
        learnt, thumb = values["split"] == "train", values["split"] == THUMB
        if learnt and not values["weight"]:
            continue
        if not values["prompt"] or not (values["completion"] or "").strip():
            raise BadInput(f"Row {number} of the training set {dataset} has no prompt or no completion.")
        row = encode(tokenizer, values["prompt"], values["completion"])
        if len(row.ids) > max_length:
            too_long += 1
        elif learnt:
            rows.train.extend([row] * values["weight"])
            rows.pairs.extend(_pairs(tokenizer, values, row, max_length))
        elif thumb:
            rows.thumbs.append(Thumb(row, values[THUMB]))
        elif len(rows.held_out) < MAX_HELD_OUT:
            rows.held_out.append(row)
    if not rows.train:
        raise BadInput(
            f"No row of the training set {dataset} can be learnt: {too_long} are longer than {max_length} tokens "
            "(NIGHTSCHOOL_TRAINING__MAX_LENGTH) and no other is left."
        )
    return replace(rows, too_long=too_long)


def _pairs(tokenizer: Any, values: dict[str, Any], chosen: Row, max_length: int) -> list[Pair]:
    """The pair that a row makes, if it has a rejected answer that is not too long."""
    if not values["rejected"]:
        return []
    rejected = encode(tokenizer, values["prompt"], values["rejected"])
    return [Pair(chosen, rejected)] if len(rejected.ids) <= max_length else []
