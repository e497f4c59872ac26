"""The ways a request can be refused: by Slack's rules, by the page's, or at the start."""

from typing import Any


class SlackError(Exception):
    """A Web API call that Slack would refuse: `code` is Slack's own error code, `extra` stands beside it."""

    def __init__(self, code: str, **extra: Any) -> None:
        super().__init__(code)
        self.code = code
        self.extra = extra


class PageError(Exception):
    """Something the acting person cannot do; the message is a sentence for them."""


class NotDelivered(Exception):
    """The app did not take a payload: it is not connected, or did not acknowledge it in time."""


class BadConfiguration(Exception):
    """The manifest, the seed or the address cannot be used; the message says why."""


def invalid_arguments(*messages: str) -> SlackError:
    """`invalid_arguments` in the form that Slack gives it, one `[ERROR]` line a problem."""
    lines = [f"[ERROR] {message}" for message in messages]
    return SlackError("invalid_arguments", response_metadata={"messages": lines})
