"""How a training process is started: the command, and what it finds in its environment.

Several processes, on the GPUs or cores of one machine or on several machines, are started by `accelerate launch`; they
run the very same code. Flags: Hugging Face Accelerate's documentation, "The Command Line".
"""

import os
import sys
from pathlib import Path

from serving.openmp import thread_environment, usable_cores
from store.settings import TrainingSettings

MODULE = "trainer.training"
COMPILED = ".compiled"


def command(folder: Path, settings: TrainingSettings) -> list[str]:
    """The command that trains the job in a folder, in as many processes as the settings say."""
    if settings.processes == 1:
        return [sys.executable, "-m", MODULE, str(folder)]
    flags = {
        "--num_processes": str(settings.processes),
        "--num_machines": "1",
        # Any free port: two trainings on one machine must not meet.
        "--main_process_port": "0",
        "--mixed_precision": "no",
        "--dynamo_backend": "no",
    }
    return [
        *(sys.executable, "-m", "accelerate.commands.launch"),
        # The launcher of torch, which on CPUs talks over gloo; `--cpu` would want MPI to be installed.
        "--multi_gpu",
        *(part for pair in flags.items() for part in pair),
        *settings.launch_arguments,
        *("-m", MODULE, str(folder)),
    ]


def environment(cache: Path, threads: int = 0, processes: int = 1) -> dict[str, str]:
    """Environment variables of a training process; compiled layers are kept in `cache`.

    Each has `threads` threads; 0 divides all cores among the processes.
    """
    # The child must find our packages also when the parent was started from another folder.
    search_path = [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, search_path)),
        **thread_environment(threads or max(1, usable_cores() // processes), os.environ),
        "HF_HUB_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "TOKENIZERS_PARALLELISM": "false",
        # Compiled layers are found again by the next night; the default is a guessable place under /tmp.
        "TORCHINDUCTOR_CACHE_DIR": str((cache / COMPILED).resolve()),
    }
