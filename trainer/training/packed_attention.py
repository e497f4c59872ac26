"""Causal attention over packed rows, registered with transformers under the name `packed`.

Written out in plain matrix products, since on the CPU the fused kernel is slow backwards where several query heads
share a key head; those are folded into the rows of one product instead of repeating keys and values.
"""

from typing import Any

import torch
from transformers import AttentionInterface

NAME = "packed"


class _Gather(torch.autograd.Function):  # type: ignore[misc]
    """Pick rows by index; every row is picked at most once, so the gradient is a gather too, not a sum."""

    @staticmethod
    def forward(ctx: Any, values: torch.Tensor, index: torch.Tensor, inverse: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(index, inverse)
        return _pick(values, index)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        _, inverse = ctx.saved_tensors
        return _pick(gradient, inverse), None, None


def _pick(values: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
    # An index past the end stands for padding: zeros.
    zeros = values.new_zeros((1, *values.shape[1:]))
    return torch.cat([values, zeros])[index]


def packed_attention(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    scaling: float,
    pad: torch.Tensor,
    unpad: torch.Tensor,
    prefix: int,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Attention as `AttentionInterface` wants it; tensors are (1, heads, tokens, head size), laid out as in `Pack`."""
    q, k, v = (states[0].transpose(0, 1) for states in (query, key, value))
    rows, longest = pad.shape
    flat = pad.flatten()

    def side_by_side(states: torch.Tensor) -> torch.Tensor:
        return _Gather.apply(states[prefix:], flat, unpad).view(rows, longest, *states.shape[1:])

    def with_prefix(states: torch.Tensor) -> torch.Tensor:
        return torch.cat([states[None, :prefix].expand(rows, -1, -1, -1), side_by_side(states)], dim=1)

    own = _causal(side_by_side(q), with_prefix(k), with_prefix(v), scaling)
    own = _Gather.apply(own.flatten(0, 1), unpad, flat)
    common = _causal(q[None, :prefix], k[None, :prefix], v[None, :prefix], scaling)[0]
    return torch.cat([common, own])[None], None


def _causal(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scaling: float) -> torch.Tensor:
    """Each query sees the keys up to its own, the queries being the last of them; (rows, tokens, heads, head size)."""
    rows, length, heads, size = query.shape
    keys, key_heads = key.shape[1], key.shape[2]
    shared = heads // key_heads
    groups, queries = rows * key_heads, shared * length
    q = query.view(rows, length, key_heads, shared, size).permute(0, 2, 3, 1, 4).reshape(groups, queries, size)
    k = key.permute(0, 2, 3, 1).reshape(groups, size, keys)
    v = value.permute(0, 2, 1, 3).reshape(groups, keys, size)
    scores = torch.bmm(q, k).view(groups, shared, length, keys).float() * scaling
    places = torch.arange(keys, device=query.device)
    visible = places <= places[keys - length :, None]
    weights = torch.softmax(scores.masked_fill(~visible, float("-inf")), dim=-1).to(value.dtype)
    mixed = torch.bmm(weights.view(groups, queries, keys), v)
    return mixed.view(rows, key_heads, shared, length, size).permute(0, 3, 1, 2, 4).reshape(rows, length, heads, size)


def register() -> None:
    """Make the name known; no mask function goes with it, so transformers builds no mask."""
    AttentionInterface.register(NAME, packed_attention)
