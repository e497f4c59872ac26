"""How messages and views look in the page; this one shows them as they are."""

import html

from .wire import Json


def message(message: Json) -> Json:
    """A message as the page shows it."""
    return message


def view(view: Json) -> Json:
    """A view as the page shows it."""
    return view


def markdown(text: str) -> str:
    """The HTML of a Markdown text that stands alone."""
    return f"<p>{html.escape(text)}</p>"
