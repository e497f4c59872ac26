"""PEFT's LoRA layer without its per-call dispatch, computing in the base weight's type.

Adapter weights and their gradients stay in float32; only the products run in bfloat16 where the base does.
"""

from typing import Any

import torch
from peft.tuners.lora import Linear as LoraLinear
from torch.nn.functional import linear


class FastLoraLinear(LoraLinear):  # type: ignore[misc]
    """A linear layer with exactly one plain adapter and no dropout, as `trainer.lora` configures it."""

    def forward(self, x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        """Base output plus the adapter's, as in PEFT."""
        if self.disable_adapters or self.merged:
            output: torch.Tensor = super().forward(x, *args, **kwargs)
            return output
        base = self.base_layer
        down = self.lora_A["default"].weight.to(x.dtype)
        up = (self.lora_B["default"].weight * self.scaling["default"]).to(x.dtype)
        return linear(x, base.weight, base.bias) + linear(linear(x, down), up)
