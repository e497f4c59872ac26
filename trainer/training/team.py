"""The processes that train together: who of them writes, what they agree on, and how their gradients become one.

Alone, every function here does nothing or gives back what it is given.
"""

import os
from collections.abc import Iterable
from contextlib import suppress

import psutil
import torch
import torch.distributed as dist
from accelerate import PartialState


def join(*, gpu: bool) -> None:
    """Find the other processes, if `accelerate launch` has started any: over NCCL on GPUs, else over gloo."""
    PartialState(cpu=not gpu)


def size() -> int:
    """How many processes train together."""
    return dist.get_world_size() if dist.is_initialized() else 1


def rank() -> int:
    """The number of this one, from 0."""
    return dist.get_rank() if dist.is_initialized() else 0


def leads() -> bool:
    """Whether this process is the one that writes files."""
    return rank() == 0


def wait() -> None:
    """Wait until all are here."""
    PartialState().wait_for_everyone()


def agreed(value: bool) -> bool:
    """What the leader thinks: clocks and disks may look different to the others."""
    if size() == 1:
        return value
    told = torch.tensor(int(value), device=PartialState().device)
    dist.broadcast(told, src=0)
    return bool(told)


def summed(value: float) -> float:
    """The sum of a number over all processes."""
    if size() == 1:
        return value
    total = torch.tensor(float(value), dtype=torch.float64, device=PartialState().device)
    dist.all_reduce(total)
    return float(total)


def add_up_gradients(parameters: Iterable[torch.nn.Parameter]) -> None:
    """Give each process the sum of all gradients; those of an adapter are small enough to go in one message."""
    if size() == 1:
        return
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    together = torch.cat([gradient.flatten() for gradient in gradients])
    dist.all_reduce(together)
    for gradient, total in zip(gradients, together.split([each.numel() for each in gradients]), strict=True):
        gradient.copy_(total.view_as(gradient))


def ancestors() -> tuple[int, ...]:
    """The processes whose end is the end of this one: who started it and, where that is a launcher, who started that.

    When one of them ends, the operating system puts another in its place.
    """
    parent = os.getppid()
    if "LOCAL_RANK" not in os.environ:
        return (parent,)
    with suppress(psutil.NoSuchProcess):
        return (parent, psutil.Process(parent).ppid())
    return (parent,)


def reported_process() -> int:
    """The process id under which whoever started the training knows it: of the launcher, if there is one."""
    return os.getppid() if "LOCAL_RANK" in os.environ else os.getpid()
