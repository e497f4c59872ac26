"""Output layer and cross-entropy in one step, on the scored tokens alone, without ever holding all logits.

A vocabulary of 49,152 makes the logits the largest tensor of a training step. Here they exist for a chunk of tokens at
a time, and the chunk's gradient is taken at once while they are in the cache.
"""

from collections.abc import Callable
from typing import Any

import torch

CHUNK_TOKENS = 256


def softmax_minus_target(logits: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Cross-entropy of each token of a chunk, and its gradient with respect to the logits."""
    wide = logits.float()
    normalizer = torch.logsumexp(wide, dim=-1, keepdim=True)
    loss = normalizer[:, 0] - wide.gather(1, targets[:, None])[:, 0]
    places = torch.arange(wide.shape[1], device=wide.device)
    gradient = torch.exp(wide - normalizer) - (places == targets[:, None]).float()
    return loss, gradient.to(logits.dtype)


ChunkLoss = Callable[[torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]]


class _CrossEntropy(torch.autograd.Function):  # type: ignore[misc]
    @staticmethod
    def forward(
        ctx: Any, hidden: torch.Tensor, weight: torch.Tensor, targets: torch.Tensor, chunk_loss: ChunkLoss
    ) -> torch.Tensor:
        losses = torch.empty(len(hidden), dtype=torch.float32, device=hidden.device)
        gradient = torch.empty_like(hidden) if ctx.needs_input_grad[0] else None
        for start in range(0, len(hidden), CHUNK_TOKENS):
            chunk = slice(start, start + CHUNK_TOKENS)
            losses[chunk], logits_gradient = chunk_loss(hidden[chunk] @ weight.t(), targets[chunk])
            if gradient is not None:
                gradient[chunk] = logits_gradient @ weight
        ctx.save_for_backward(gradient)
        return losses

    @staticmethod
    def backward(ctx: Any, scale: torch.Tensor) -> tuple[torch.Tensor, None, None, None]:
        (gradient,) = ctx.saved_tensors
        return gradient * scale[:, None].to(gradient.dtype), None, None, None


def cross_entropy(
    hidden: torch.Tensor,
    weight: torch.Tensor,
    targets: torch.Tensor,
    chunk_loss: ChunkLoss = softmax_minus_target,
) -> torch.Tensor:
    """Cross-entropy of `hidden @ weight.T` of each token; the frozen `weight` gets no gradient."""
    losses: torch.Tensor = _CrossEntropy.apply(hidden, weight, targets, chunk_loss)
    return losses
