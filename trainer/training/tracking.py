"""The trackers that people already use: names of the Trainer's `report_to`, such as `mlflow` or `wandb`.

They are told losses and settings, and no text that anybody wrote. Their own environment variables say where to.
"""

from collections.abc import Sequence

from transformers.integrations import get_reporting_integration_callbacks

from store.errors import BadInput


def check(names: Sequence[str]) -> None:
    """Make sure that each tracker is known and can be used here.

    Raises:
        BadInput: it is not; the message says what is missing.
    """
    try:
        for tracker in get_reporting_integration_callbacks(list(names)):
            tracker()
    except (ValueError, RuntimeError, ImportError) as error:
        raise BadInput(f"NIGHTSCHOOL_TRAINING__REPORT_TO cannot be followed: {error}") from error
