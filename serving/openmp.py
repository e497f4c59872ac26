"""Threads of a compute process on the CPU: how many, and a runtime for them that bears neighbours."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path


def usable_cores() -> int:
    """How many cores this process may use, at least one."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def thread_environment(threads: int, inherited: Mapping[str, str]) -> dict[str, str]:
    """Environment for a process that computes with so many threads; 0 means every usable core.

    GNU's OpenMP stalls for seconds when another process takes a core; Intel's, which comes with vLLM's CPU build, does
    not, and is put in its place where it is installed.
    """
    environment = {"OMP_NUM_THREADS": str(threads or usable_cores())}
    intel_openmp = Path(sys.prefix) / "lib" / "libiomp5.so"
    if intel_openmp.exists():
        environment["LD_PRELOAD"] = f"{intel_openmp}:{inherited.get('LD_PRELOAD', '')}".rstrip(":")
        environment["KMP_BLOCKTIME"] = "1"
    return environment
