"""The log of a process: what looks like a secret, or is one of ours, is masked before it is written."""

import logging
from collections.abc import Iterator
from typing import Any

from pydantic import SecretStr

from store.redact import Kind, without_secrets
from store.settings import Settings

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class MaskingFormatter(logging.Formatter):
    """Formats a record, its traceback included, without secrets."""

    def __init__(self, secrets: frozenset[str] = frozenset()) -> None:
        """Mask these values too, whatever they look like."""
        super().__init__(FORMAT)
        self._secrets = sorted(secrets, key=len, reverse=True)

    def format(self, record: logging.LogRecord) -> str:
        """The line, or the lines where it has a traceback."""
        text = super().format(record)
        for secret in self._secrets:
            text = text.replace(secret, f"[{Kind.SECRET}]")
        return without_secrets(text)


def start(settings: Settings) -> None:
    """Log to standard error from now on, in one form for every process."""
    handler = logging.StreamHandler()
    handler.setFormatter(MaskingFormatter(frozenset(_secrets(settings.model_dump()))))
    logging.basicConfig(level=logging.INFO, handlers=[handler])


def _secrets(values: dict[str, Any]) -> Iterator[str]:
    for value in values.values():
        if isinstance(value, SecretStr) and value.get_secret_value():
            yield value.get_secret_value()
        elif isinstance(value, dict):
            yield from _secrets(value)
