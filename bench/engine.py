"""A real vLLM for benchmarks, in a home of its own: started as the product starts it."""

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.product import MODELS
from deploy.local import healthy
from deploy.supervisor import Child
from serving.base_model import ensure_base_model
from store.settings import NightSettings, ServingSettings, Settings, TrainingSettings

READY_WITHIN_S = 300.0


@contextmanager
def running_engine(
    serving: ServingSettings | None = None, training: TrainingSettings | None = None, night: NightSettings | None = None
) -> Iterator[Settings]:
    """Settings whose vLLM runs while the block does.

    Raises:
        RuntimeError: vLLM did not start; the message holds the end of its log.
    """
    with tempfile.TemporaryDirectory(prefix="nightschool-bench-") as folder:
        settings = Settings(
            home=Path(folder) / "home",
            models_folder=MODELS,
            serving=serving or ServingSettings(),
            training=training or TrainingSettings(),
            night=night or NightSettings(),
        )
        ensure_base_model(settings, lambda line: print(line, file=sys.stderr))
        environment = {"NIGHTSCHOOL_HOME": str(settings.home), "NIGHTSCHOOL_MODELS_FOLDER": str(MODELS)}
        environment |= {f"NIGHTSCHOOL_SERVING__{key.upper()}": str(value) for key, value in _changed(settings.serving)}
        child = Child("vLLM", [sys.executable, "-m", "nightschool", "serve"], settings.logs / "serve.log", environment)
        child.start()
        try:
            _wait(child, settings.replica_urls[0])
            yield settings
        finally:
            child.stop()


def _changed(serving: ServingSettings) -> list[tuple[str, object]]:
    return [(key, value) for key, value in serving if key in serving.model_fields_set]


def _wait(child: Child, url: str) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while not healthy(url):
        if not child.running or time.monotonic() > deadline:
            raise RuntimeError(f"vLLM {child.how_it_ended()}:\n{child.log_tail(30)}")
        time.sleep(0.2)
