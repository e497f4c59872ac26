"""What this machine does well: the type to compute in, and whether layers can be compiled."""

import os
import shutil
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Hardware:
    """How to train on this machine."""

    gpu: bool
    dtype: torch.dtype
    """Type of the frozen base weights; adapter weights and optimizer are in float32 everywhere."""
    compiler: bool
    """Whether a C++ compiler is at hand for torch.compile."""


def limit_memory(share: float) -> None:
    """Leave the rest of this process's GPU to others: beyond this share of its memory allocations fail."""
    if share < 1:
        torch.cuda.set_per_process_memory_fraction(share, int(os.environ.get("LOCAL_RANK", "0")))


def detect() -> Hardware:
    """Look at this machine.

    bfloat16 only where the processor multiplies it natively (AMX or AVX-512 BF16): elsewhere it is emulated and slower
    than float32.
    """
    gpu = torch.cuda.is_available()
    capabilities = torch.cpu.get_capabilities()
    native = gpu or any(capabilities.get(name) for name in ("amx_bf16", "avx512_bf16"))
    return Hardware(
        gpu=gpu,
        dtype=torch.bfloat16 if native else torch.float32,
        compiler=shutil.which(os.environ.get("CXX", "g++")) is not None,
    )
