"""Lay a batch out without padding: the prompt's common beginning once, then what is left of each row, end to end.

Every row of a batch starts with the same system prompt. Under a causal mask its hidden states are the same in every
row, so they are computed once and every row attends to them; gradients add up by themselves. Linear layers then see
real tokens only. Attention alone needs rows side by side: `pad` and `unpad` say how to get there and back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile
from typing import Any

import torch

from trainer.training.rows import IGNORED

# Measured: smaller packs share less of the prefix, larger ones fall out of the cache and pad attention more.
MAX_PACK_TOKENS = 2048


@dataclass(frozen=True)
class Pack:
    """Some rows as one sequence of `prefix` common tokens and the remainders of `rows` rows."""

    input_ids: torch.Tensor
    """Shape (1, tokens)."""
    position_ids: torch.Tensor
    """Shape (1, tokens): each token's place in its own row."""
    pad: torch.Tensor
    """Shape (rows, longest remainder): the token's index after the prefix; past the end, the number of those tokens.

    A lone row gets an empty one at its side, since a compiled layer would be compiled anew for a dimension of one.
    """
    unpad: torch.Tensor
    """The place of each token after the prefix in the flattened `pad`."""
    scored: torch.Tensor
    """Indices of the tokens whose next token counts in the loss."""
    targets: torch.Tensor
    """Those next tokens."""
    owners: torch.Tensor
    """The row of each of them."""
    rows: int
    prefix: int
    real_tokens: int
    """Tokens of all rows, each row's share of the prefix included."""


def pack(ids: Sequence[Sequence[int]], labels: Sequence[Sequence[int]]) -> Pack:
    """Pack rows; `labels` as SFTTrainer has them: the token itself where it counts, `IGNORED` elsewhere."""
    prefix = _common_prefix(ids, labels)
    rests = [list(row[prefix:]) for row in ids]
    starts = [0]
    for rest in rests:
        starts.append(starts[-1] + len(rest))
    longest = max(len(rest) for rest in rests)
    pad = torch.full((max(2, len(rests)), longest), starts[-1])
    for row, (start, end) in enumerate(pairwise(starts)):
        pad[row, : end - start] = torch.arange(start, end)
    positions = list(range(prefix))
    scored, targets, owners = [], [], []
    for row, (start, rest, row_labels) in enumerate(zip(starts, rests, labels, strict=False)):
        positions.extend(range(prefix, prefix + len(rest)))
        for offset, target in enumerate(row_labels[prefix + 1 :]):
            if target != IGNORED:
                scored.append(prefix + start + offset)
                targets.append(target)
                owners.append(row)
    return Pack(
        input_ids=torch.tensor([[*ids[0][:prefix], *(token for rest in rests for token in rest)]]),
        position_ids=torch.tensor([positions]),
        pad=pad,
        unpad=(pad.flatten() < starts[-1]).nonzero().flatten(),
        scored=torch.tensor(scored),
        targets=torch.tensor(targets),
        owners=torch.tensor(owners),
        rows=len(ids),
        prefix=prefix,
        real_tokens=sum(len(row) for row in ids),
    )


def _common_prefix(ids: Sequence[Sequence[int]], labels: Sequence[Sequence[int]]) -> int:
    """How many tokens all rows begin with, short of each row's last prompt token.

    That token predicts the first of the answer, which is the row's own: it must be in the row's own part.
    """
    common = sum(1 for _ in takewhile(lambda tokens: len(set(tokens)) == 1, zip(*ids, strict=False)))
    prompts = [next(place for place, label in enumerate(row) if label != IGNORED) for row in labels]
    return max(0, min(common, min(prompts) - 1))


class PackCollator:
    """Turns the examples of a step into packs of rows of like length, which bounds memory and attention's padding.

    Where memory is short, packs are smaller by the number of `parts`.
    """

    def __init__(self, parts: int = 1) -> None:
        self._parts = parts

    def __call__(self, examples: Sequence[Mapping[str, Any]]) -> dict[str, list[Pack]]:
        """The packs of one step, under the only key of the batch."""
        groups = in_packs([[example] for example in examples], self._parts)
        return {"packs": [packed([example for (example,) in group]) for group in groups]}


def in_packs(bundles: Sequence[Sequence[Mapping[str, Any]]], parts: int = 1) -> list[list[Sequence[Mapping[str, Any]]]]:
    """Bundles of rows (each of as many) in groups that make a pack, those of like length together."""
    ordered = sorted(bundles, key=_longest)
    groups: list[list[Sequence[Mapping[str, Any]]]] = [[]]
    for bundle in ordered:
        # Attention pads to the longest row, which is in the newest bundle.
        if groups[-1] and (len(groups[-1]) + 1) * len(bundle) * _longest(bundle) > MAX_PACK_TOKENS // parts:
            groups.append([])
        groups[-1].append(bundle)
    return groups


def _longest(bundle: Sequence[Mapping[str, Any]]) -> int:
    return max(len(example["input_ids"]) for example in bundle)


def packed(examples: Sequence[Mapping[str, Any]]) -> Pack:
    """Pack examples, each with `input_ids` and `labels`."""
    return pack([example["input_ids"] for example in examples], [example["labels"] for example in examples])
