"""The pieces that Block Kit's rules are written with: each checks one JSON value and says what is wrong with it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

Rule = Callable[[Any, str], Iterator[str]]
"""Given a value and its JSON pointer, the problems with it."""


def problem(message: str, pointer: str) -> str:
    """A problem in the words and form of Slack's `response_metadata.messages`."""
    return f"[ERROR] {message} [json-pointer:{pointer}]"


def anything(value: Any, pointer: str) -> Iterator[str]:
    """Accepts every value: what Slack checks there, a local workspace need not."""
    yield from ()


def boolean(value: Any, pointer: str) -> Iterator[str]:
    """True or false."""
    if not isinstance(value, bool):
        yield problem("must provide a boolean", pointer)


def integer(value: Any, pointer: str) -> Iterator[str]:
    """A whole number."""
    if not isinstance(value, int) or isinstance(value, bool):
        yield problem("must provide an integer", pointer)


def string(longest: int, shortest: int = 0) -> Rule:
    """A string of a limited length."""

    def rule(value: Any, pointer: str) -> Iterator[str]:
        if not isinstance(value, str):
            yield problem("must provide a string", pointer)
        elif len(value) > longest:
            yield problem(f"must be less than {longest + 1} characters", pointer)
        elif len(value) < shortest:
            yield problem(f"must be more than {shortest - 1} characters", pointer)

    return rule


def choice(*allowed: str) -> Rule:
    """One of a few words."""

    def rule(value: Any, pointer: str) -> Iterator[str]:
        if value not in allowed:
            yield problem(f"must be one of: {', '.join(allowed)}", pointer)

    return rule


def many(each: Rule, most: int, least: int = 1) -> Rule:
    """A list of a limited length."""

    def rule(value: Any, pointer: str) -> Iterator[str]:
        if not isinstance(value, list):
            yield problem("must provide an array", pointer)
            return
        if len(value) > most:
            yield problem(f"no more than {most} items allowed", pointer)
        if len(value) < least:
            yield problem(f"no fewer than {least} items allowed", pointer)
        for index, item in enumerate(value):
            yield from each(item, f"{pointer}/{index}")

    return rule


@dataclass(frozen=True)
class Shape:
    """An object with known fields; a field that is not known is refused, as Slack does."""

    required: dict[str, Rule]
    optional: dict[str, Rule]
    one_of: tuple[str, ...] = ()

    def __call__(self, value: Any, pointer: str) -> Iterator[str]:
        """The problems with an object, its fields included."""
        if not isinstance(value, dict):
            yield problem("must provide an object", pointer)
            return
        rules = {**self.required, **self.optional}
        for name in self.required:
            if value.get(name) is None:
                yield problem(f"missing required field: {name}", pointer)
        if self.one_of and not any(value.get(name) for name in self.one_of):
            yield problem(f"missing required field: one of {', '.join(self.one_of)}", pointer)
        for name, item in value.items():
            if name == "type":
                continue
            if name not in rules:
                yield problem(f"invalid additional property: {name}", pointer)
            elif item is not None:
                yield from rules[name](item, f"{pointer}/{name}")


def by_type(shapes: dict[str, Shape], *names: str) -> Rule:
    """An object whose `type` picks its shape, out of all shapes or the named ones."""

    def rule(value: Any, pointer: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield problem("must provide an object", pointer)
            return
        kind = str(value.get("type"))
        if kind not in (names or shapes):
            yield problem(f"unsupported type: {kind}", f"{pointer}/type")
        else:
            yield from shapes[kind](value, pointer)

    return rule


def text(longest: int, shortest: int = 1) -> Rule:
    """A text object, plain or mrkdwn."""
    content = string(longest, shortest)
    plain = Shape({"text": content}, {"emoji": boolean})
    marked = Shape({"text": content}, {"verbatim": boolean})
    return by_type({"plain_text": plain, "mrkdwn": marked})


def plain(longest: int, shortest: int = 1) -> Rule:
    """A plain text object."""
    return by_type({"plain_text": Shape({"text": string(longest, shortest)}, {"emoji": boolean})})
