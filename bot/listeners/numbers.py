"""The row that a button or modal is about."""

from typing import Any

from store.errors import BadInput


def number_in(action: dict[str, Any]) -> int:
    """The row number that a button carries.

    Raises:
        BadInput: it carries none.
    """
    return parse_number(str(action.get("value") or ""))


def parse_number(text: str) -> int:
    """A row number as we write it into values and private metadata.

    Raises:
        BadInput: it is none.
    """
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise BadInput("That button does not belong to anything any more. Open the Home tab anew.")
    return int(text)
