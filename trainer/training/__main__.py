"""Entry of the training process: `python -m trainer.training FOLDER`, where FOLDER holds `run.json`."""

import errno
import os
import sys
from contextlib import suppress
from pathlib import Path

from store.artifacts import write_json
from store.errors import NightschoolError
from trainer.memory import OUT_OF_MEMORY
from trainer.train import DISK_FULL, ERROR_FILE, EXIT_CODE_FILE

# Answering people goes before training; a higher niceness leaves them the cores.
NICENESS = 10

OUT_OF_MEMORY_SIGNS = ("can't allocate memory", "out of memory", "DefaultCPUAllocator")
# torch's and safetensors' writers wrap the operating system's error in their own.
DISK_FULL_SIGNS = ("No space left on device", "PytorchStreamWriter failed")


def main() -> int:
    """Train the job in the folder given on the command line; a failure is left there as a sentence."""
    folder = Path(sys.argv[1])
    os.nice(NICENESS)
    from safetensors import SafetensorError

    from trainer.training.process import run

    try:
        run(folder)
    except NightschoolError as error:
        write_json(folder / ERROR_FILE, {"message": str(error)})
        return 1
    except (MemoryError, RuntimeError, OSError, SafetensorError) as error:
        code = _exit_code(error)
        if code is None:
            raise
        # A launcher of several processes has an exit code of its own; this file tells ours, if it can be written.
        with suppress(OSError, MemoryError):
            (folder / EXIT_CODE_FILE).write_text(str(code))
        return code
    return 0


def _exit_code(error: Exception) -> int | None:
    text = str(error)
    if isinstance(error, MemoryError) or any(sign in text for sign in OUT_OF_MEMORY_SIGNS):
        return OUT_OF_MEMORY
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    if full or any(sign in text for sign in DISK_FULL_SIGNS):
        return DISK_FULL
    return None


if __name__ == "__main__":
    sys.exit(main())
