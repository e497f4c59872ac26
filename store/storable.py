"""Texts that every database can keep: without NUL characters and halves of surrogate pairs, which are no Unicode text.

Postgres refuses a NUL in a text, and neither database's driver can encode half a pair; Slack's JSON may hold both.
"""

import re
from typing import Any

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def storable(text: str) -> str:
    """The text with a replacement character (U+FFFD) for each NUL and each half of a pair: forged ids stay forged."""
    return _UNSTORABLE.sub("\ufffd", text)


def make_storable(value: Any) -> Any:
    """The same decoded JSON with every text in it storable; lists and objects are changed in place."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, list):
        value[:] = [make_storable(item) for item in value]
    elif isinstance(value, dict):
        for name, item in value.items():
            value[name] = make_storable(item)
    return value
