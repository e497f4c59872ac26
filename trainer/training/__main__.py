"""Entry of the training process: `python -m trainer.training FOLDER`, where FOLDER holds `run.json`."""

import errno
import os
import sys
from pathlib import Path

from store.artifacts import write_json
from store.errors import NightschoolError
from trainer.train import ERROR_FILE

# Answering people goes before training; a higher niceness leaves them the cores.
NICENESS = 10

OUT_OF_MEMORY_SIGNS = ("can't allocate memory", "out of memory", "DefaultCPUAllocator")
OUT_OF_MEMORY = (
    "The training ran out of memory. Lower NIGHTSCHOOL_TRAINING__BATCH_SIZE or NIGHTSCHOOL_TRAINING__MAX_LENGTH, "
    "or give the machine more memory."
)


def main() -> int:
    """Train the job in the folder given on the command line; a failure is left there as a sentence."""
    folder = Path(sys.argv[1])
    os.nice(NICENESS)
    from trainer.training.process import run

    try:
        run(folder)
    except (NightschoolError, MemoryError, RuntimeError, OSError) as error:
        message = _sentence(error, folder)
        if message is None:
            raise
        write_json(folder / ERROR_FILE, {"message": message})
        return 1
    return 0


def _sentence(error: Exception, folder: Path) -> str | None:
    if isinstance(error, NightschoolError):
        return str(error)
    if isinstance(error, MemoryError) or any(sign in str(error) for sign in OUT_OF_MEMORY_SIGNS):
        return OUT_OF_MEMORY
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk of {folder} is full. Free some space; the next run goes on where this one stopped."
    return None


if __name__ == "__main__":
    sys.exit(main())
