"""The base model run over packed rows, for any architecture whose attention transformers lets us replace."""

import logging
from collections.abc import Sequence
from typing import Any

import torch
from torch.nn import functional

from trainer.training import packed_attention
from trainer.training.fast_loss import ChunkLoss, cross_entropy, softmax_minus_target
from trainer.training.packing import Pack, pack
from trainer.training.rows import Row

logger = logging.getLogger(__name__)

CHECKED_ROWS = 2
TOLERANCE = {torch.float32: 1e-4, torch.bfloat16: 1e-2}


def summed_loss(model: Any, rows: Pack, chunk_loss: ChunkLoss = softmax_minus_target) -> torch.Tensor:
    """Cross-entropy summed over the scored tokens of a pack; `model` is the causal language model itself."""
    return _losses(model, rows, chunk_loss).sum()


def log_probabilities(model: Any, rows: Pack, chunk_loss: ChunkLoss = softmax_minus_target) -> torch.Tensor:
    """The log-probability of each row's completion, shape (rows,); with a gradient as the model has one."""
    losses = _losses(model, rows, chunk_loss)
    return torch.zeros(rows.rows, dtype=losses.dtype, device=losses.device).index_add(0, rows.owners, -losses)


def _losses(model: Any, rows: Pack, chunk_loss: ChunkLoss) -> torch.Tensor:
    hidden = model.base_model(
        input_ids=rows.input_ids,
        position_ids=rows.position_ids,
        use_cache=False,
        pad=rows.pad,
        unpad=rows.unpad,
        prefix=rows.prefix,
    ).last_hidden_state[0]
    return cross_entropy(hidden[rows.scored], model.get_output_embeddings().weight, rows.targets, chunk_loss)


def enable(model: Any, rows: Sequence[Row]) -> bool:
    """Switch a freshly loaded model to packed attention, if it then gives the loss that it gives by itself.

    Sliding windows, soft-capped logits and the like would make a difference; such a model stays as it was.
    """
    chosen = sorted(rows, key=lambda row: len(row.ids))[:CHECKED_ROWS]
    before = model.config._attn_implementation
    with torch.no_grad():
        expected = sum(_plain_loss(model, row) for row in chosen)
        packed_attention.register()
        try:
            model.set_attn_implementation(packed_attention.NAME)
            examples = [row.example for row in chosen]
            packed = pack([each["input_ids"] for each in examples], [each["labels"] for each in examples])
            found = float(summed_loss(model, packed))
        except (TypeError, ValueError, AttributeError) as error:
            logger.warning("This model cannot run on packed rows (%s); training takes the plain way.", error)
            found = float("nan")
    if abs(found - expected) <= TOLERANCE[model.dtype] * expected:
        return True
    logger.warning("Packed rows give the loss %.5f instead of %.5f; training takes the plain way.", found, expected)
    model.set_attn_implementation(before)
    return False


def _plain_loss(model: Any, row: Row) -> float:
    logits = model(input_ids=torch.tensor([row.ids]), use_cache=False).logits[0, row.completion_start - 1 : -1]
    targets = torch.tensor(row.ids[row.completion_start :])
    return float(functional.cross_entropy(logits.float(), targets, reduction="sum"))


def compile_layers(model: Any) -> ChunkLoss:
    """Compile each decoder layer (one compilation serves all) and return the loss's kernel, compiled as well.

    What cannot be compiled runs as before: a speed-up must never cost the night.
    """
    torch._dynamo.config.suppress_errors = True
    for module in model.modules():
        if type(module).__name__ in (model._no_split_modules or ()):
            module.compile(dynamic=True)
    chunk_loss: ChunkLoss = torch.compile(softmax_minus_target, dynamic=True)
    return chunk_loss
