"""LoRA for vLLM on the CPU by one matrix product for each adapter in the batch.

vLLM's own CPU code gathers a copy of the adapter's weights for every token, and takes "no adapter" (-1) for an index,
which gives base-model rows the weights of the last slot. Here the rows of a step are grouped by adapter once, each
group is multiplied as a whole, and rows without an adapter are left alone. The same is asked of `sgmv` in Punica
(Chen et al. 2023, arXiv 2310.18547). Runs inside vLLM only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from vllm.lora.punica_wrapper import punica_cpu
from vllm.v1.kv_cache_interface import KVCacheConfig

SMALL_ROWS = 32
"""Up to so many rows float32 products were measured faster than bfloat16 ones, whose set-up dominates there."""

TOLERANCE = 0.02
"""Largest difference from the reference, relative to the largest value: a few steps of bfloat16."""

NO_ADAPTER = -1

StockWrapper: Any = punica_cpu.PunicaWrapperCPU


@dataclass(frozen=True)
class Group:
    """The rows of a batch that belong to one adapter slot: a slice where they are adjacent, else their indices."""

    slot: int
    rows: slice | torch.Tensor
    count: int


def grouped(slots: torch.Tensor) -> list[Group]:
    """The rows of each slot that occurs; rows without an adapter are in no group."""
    groups = []
    for slot in torch.unique(slots).tolist():
        if slot == NO_ADAPTER:
            continue
        rows = (slots == slot).nonzero().flatten()
        first, last = int(rows[0]), int(rows[-1])
        adjacent = last - first + 1 == rows.numel()
        groups.append(Group(slot, slice(first, last + 1) if adjacent else rows, rows.numel()))
    return groups


def _product(x: torch.Tensor, weight: torch.Tensor, count: int) -> torch.Tensor:
    # `weight` is (outputs, inputs) as torch.nn.Linear has it.
    if count <= SMALL_ROWS:
        return torch.nn.functional.linear(x.float(), weight.float())
    return torch.nn.functional.linear(x.to(weight.dtype), weight)


def _matrix(stacked: torch.Tensor, slot: int) -> torch.Tensor:
    return stacked[slot].flatten(0, -2)


def _add_rows(y: torch.Tensor, rows: slice | torch.Tensor, columns: slice, delta: torch.Tensor) -> None:
    if isinstance(rows, slice):
        y[rows, columns] += delta
    else:
        y[:, columns].index_add_(0, rows, delta.to(y.dtype))


class GroupedPunicaWrapper(StockWrapper):  # type: ignore[misc] # vLLM is not there when types are checked
    """vLLM's CPU LoRA wrapper with the arithmetic done by groups of rows."""

    def update_metadata(self, *args: Any, **kwargs: Any) -> None:
        """Note which rows of the coming step belong to which adapter: once a step, not once a layer."""
        super().update_metadata(*args, **kwargs)
        self._token_groups = grouped(self.token_lora_indices)
        self._sampler_groups = grouped(self.sampler_indices)

    def add_shrink(
        self, y: Any, x: torch.Tensor, lora_a_stacked: Sequence[torch.Tensor], scale: float, **kwargs: Any
    ) -> None:
        """`y[i] = scale * x @ A[i]` for each slice, rows without an adapter left alone."""
        x = x.view(-1, x.shape[-1])
        for out, stacked in zip(y, lora_a_stacked, strict=False):
            self._shrink(out.view(-1, out.shape[-1]), x, stacked, scale, self._token_groups)

    def add_expand(
        self,
        y: torch.Tensor,
        x: Any,
        lora_b_stacked: Sequence[torch.Tensor],
        output_slices: tuple[int, ...],
        offset_start: int = 0,
        add_inputs: bool = True,
        **kwargs: Any,
    ) -> None:
        """`y[:, slice i] += x[i] @ B[i]`, rows without an adapter left alone."""
        y = y.view(-1, y.shape[-1])
        offset = offset_start
        for narrow, stacked, width in zip(x, lora_b_stacked, output_slices, strict=False):
            if not add_inputs:
                y[:, offset : offset + width] = 0
            self._expand(y, narrow.view(-1, narrow.shape[-1]), stacked, slice(offset, offset + width))
            offset += width

    def add_lora_linear(
        self,
        y: torch.Tensor,
        x: torch.Tensor,
        lora_a_stacked: Sequence[torch.Tensor],
        lora_b_stacked: Sequence[torch.Tensor],
        scale: float,
        output_slices: tuple[int, ...],
        *,
        buffer: Any = None,
        **kwargs: Any,
    ) -> None:
        """`y[:, slice i] += scale * x @ A[i] @ B[i]` for the rows of each adapter."""
        y, x = y.view(-1, y.shape[-1]), x.view(-1, x.shape[-1])
        for group in self._token_groups:
            rows = x[group.rows]
            small = rows.float() if group.count <= SMALL_ROWS else rows
            offset = 0
            for stacked_a, stacked_b, width in zip(lora_a_stacked, lora_b_stacked, output_slices, strict=True):
                narrow = _product(small, _matrix(stacked_a, group.slot), group.count)
                delta = _product(narrow, _matrix(stacked_b, group.slot), group.count)
                _add_rows(y, group.rows, slice(offset, offset + width), delta if scale == 1 else delta * scale)
                offset += width

    def add_lora_embedding(
        self, y: torch.Tensor, x: torch.Tensor, lora_b_stacked: torch.Tensor, add_inputs: bool = True, **kwargs: Any
    ) -> None:
        """`y += x @ B` for an embedding layer, rows without an adapter left alone."""
        self.add_expand(y, (x,), (lora_b_stacked,), (y.shape[-1],), add_inputs=add_inputs)

    def add_lora_logits(
        self,
        y: torch.Tensor,
        x: torch.Tensor,
        lora_a_stacked: torch.Tensor,
        lora_b_stacked: torch.Tensor,
        scale: float,
        *,
        buffer: torch.Tensor | None = None,
        **kwargs: Any,
    ) -> None:
        """`y += scale * x @ A @ B` for the output layer, whose rows are those that are sampled from.

        Almost no adapter has weights there, and the product is as wide as the vocabulary. When a prompt is scored,
        the rows are its positions and not those of the batch; vLLM's own kernel stops the engine then.
        """
        y, x = y.view(-1, y.shape[-1]), x.view(-1, x.shape[-1])
        if len(x) != len(self.sampler_indices):
            return
        for group in self._sampler_groups:
            if not lora_a_stacked[group.slot].any():
                continue
            narrow = _product(x[group.rows], _matrix(lora_a_stacked, group.slot), group.count)
            delta = _product(narrow, _matrix(lora_b_stacked, group.slot), group.count) * scale
            _add_rows(y, group.rows, slice(0, min(y.shape[-1], delta.shape[-1])), delta[:, : y.shape[-1]])

    @staticmethod
    def _shrink(y: torch.Tensor, x: torch.Tensor, stacked: torch.Tensor, scale: float, groups: list[Group]) -> None:
        for group in groups:
            narrow = _product(x[group.rows], _matrix(stacked, group.slot), group.count)
            y[group.rows, : narrow.shape[-1]] = (narrow * scale).to(y.dtype)

    def _expand(self, y: torch.Tensor, x: torch.Tensor, stacked: torch.Tensor, columns: slice) -> None:
        for group in self._token_groups:
            _add_rows(y, group.rows, columns, _product(x[group.rows], _matrix(stacked, group.slot), group.count))


def self_test() -> float:
    """Compare the kernels with row-by-row float64 arithmetic on mixed batches; the largest relative error seen.

    Raises:
        RuntimeError: a result is off, or a row without an adapter was changed.
    """
    generator = torch.Generator().manual_seed(0)
    worst = 0.0
    for rows in (5, 3 * SMALL_ROWS):
        slots = torch.randint(NO_ADAPTER, 3, (rows,), generator=generator)
        slots[:2] = torch.tensor([NO_ADAPTER, 2])
        worst = max(worst, _compare(slots, generator))
    return worst


def _compare(slots: torch.Tensor, generator: torch.Generator) -> float:
    inputs, widths, rank, scale = 48, (40, 24), 8, 2.0
    x = torch.randn(len(slots), inputs, generator=generator).bfloat16()
    a = [torch.randn(3, 1, rank, inputs, generator=generator).bfloat16() for _ in widths]
    b = [torch.randn(3, 1, width, rank, generator=generator).bfloat16() for width in widths]
    before = torch.randn(len(slots), sum(widths), generator=generator).bfloat16()

    expected = before.double()
    for row, slot in enumerate(slots.tolist()):
        if slot != NO_ADAPTER:
            parts = [
                wb[slot, 0].double() @ (wa[slot, 0].double() @ x[row].double()) for wa, wb in zip(a, b, strict=True)
            ]
            expected[row] += scale * torch.cat(parts)

    kernels = GroupedPunicaWrapper.__new__(GroupedPunicaWrapper)
    kernels._token_groups = grouped(slots)
    after = before.clone()
    kernels.add_lora_linear(after, x, a, b, scale, widths)
    if not torch.equal(after[slots == NO_ADAPTER], before[slots == NO_ADAPTER]):
        raise RuntimeError("a row without an adapter was changed")
    error = float((after.double() - expected).abs().max() / expected.abs().max())
    if not error < TOLERANCE:
        raise RuntimeError(f"the results are off by {error:.1%}")
    return error


def _always(_: Any) -> bool:
    return True


def install() -> None:
    """Put the grouped kernels in the place of vLLM's, and have every fresh cache block zeroed.

    vLLM reuses blocks of the key-value cache as they are: after one request has written NaN into one, every later
    request that gets it computes 0 * NaN in attention and answers nothing.
    """
    if not isinstance(KVCacheConfig.needs_kv_cache_zeroing, property):
        raise AttributeError("KVCacheConfig.needs_kv_cache_zeroing is not the property that we know")
    punica_cpu.PunicaWrapperCPU = GroupedPunicaWrapper
    KVCacheConfig.needs_kv_cache_zeroing = property(_always)
