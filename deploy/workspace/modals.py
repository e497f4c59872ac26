"""The modals that are open: each person has one stack of at most three views.

Source: https://docs.slack.dev/surfaces/modals
"""

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from .errors import SlackError
from .wire import Json

STACK_LIMIT = 3


def new_hash() -> str:
    """A view's hash: it changes with every update, so that a race can be noticed."""
    return f"{int(time.time())}.{secrets.token_hex(4)}"


@dataclass
class Modals:
    """Every open stack, its root first."""

    stacks: dict[str, list[Json]] = field(default_factory=dict)

    def open(self, user_id: str, view: Json) -> None:
        """Open a new stack with this view; one that was open is gone."""
        self.stacks[user_id] = [{**view, "root_view_id": view["id"], "previous_view_id": None}]

    def push(self, user_id: str, view: Json) -> Json:
        """Put a view on the person's stack; raises `not_found` without a stack and `push_limit_reached` at three."""
        stack = self.stacks.get(user_id)
        if not stack:
            raise SlackError("not_found")
        if len(stack) >= STACK_LIMIT:
            raise SlackError("push_limit_reached")
        placed = {**view, "root_view_id": stack[0]["id"], "previous_view_id": stack[-1]["id"]}
        stack.append(placed)
        return placed

    def top(self, user_id: str) -> Json | None:
        """The view that the person sees."""
        stack = self.stacks.get(user_id)
        return stack[-1] if stack else None

    def _all(self) -> Iterator[tuple[str, list[Json], int]]:
        for user_id, stack in self.stacks.items():
            for index in range(len(stack)):
                yield user_id, stack, index

    def find(self, view_id: str | None, external_id: str | None = None) -> tuple[str, Json] | None:
        """Who sees an open view, and the view, by either of its ids."""
        for user_id, stack, index in self._all():
            view = stack[index]
            if view["id"] == view_id or (external_id and view["external_id"] == external_id):
                return user_id, view
        return None

    def replace(self, view: Json) -> None:
        """Put a newer state of an open view in its place."""
        for _, stack, index in self._all():
            if stack[index]["id"] == view["id"]:
                stack[index] = view

    def pop(self, user_id: str, view_id: str) -> None:
        """Close one view, and those above it."""
        stack = self.stacks.get(user_id, [])
        kept = [view["id"] for view in stack]
        if view_id in kept:
            del stack[kept.index(view_id) :]

    def clear(self, user_id: str) -> None:
        """Close all views of a person."""
        self.stacks.pop(user_id, None)
