"""What the process's end means, in a sentence that says what to do."""

import errno

import pytest
from safetensors import SafetensorError

from trainer.memory import OUT_OF_MEMORY
from trainer.train import DISK_FULL, SENTENCES
from trainer.training.__main__ import _exit_code


@pytest.mark.parametrize(
    ("error", "code", "advice"),
    [
        (MemoryError(), OUT_OF_MEMORY, "RANK"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), OUT_OF_MEMORY, "MAX_LENGTH"),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), OUT_OF_MEMORY, "memory"),
        (OSError(errno.ENOSPC, "No space left on device"), DISK_FULL, "Free some space"),
        (RuntimeError("PytorchStreamWriter failed writing file data/0"), DISK_FULL, "Free some space"),
        (SafetensorError("Error while serializing: No space left on device (os error 28)"), DISK_FULL, "goes on"),
    ],
)
def test_starved_processes_say_so_by_exit_code(error: Exception, code: int, advice: str) -> None:
    assert _exit_code(error) == code
    assert advice in SENTENCES[code]


def test_other_errors_keep_their_traceback() -> None:
    assert _exit_code(RuntimeError("shapes do not fit")) is None
