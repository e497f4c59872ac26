"""What a modal carries in its private metadata: ids only, the rest stays in the store."""

import json
from dataclasses import asdict, dataclass
from typing import Literal

from store.errors import BadInput


@dataclass(frozen=True)
class FeedbackPlace:
    """Which answer a reason is about, and where to say thank you."""

    answer_id: int
    channel_id: str
    thread_ts: str

    def dump(self) -> str:
        """As private metadata."""
        return json.dumps(asdict(self))

    @classmethod
    def load(cls, text: str) -> "FeedbackPlace":
        """From private metadata.

        Raises:
            BadInput: it is not what we wrote.
        """
        try:
            fields = json.loads(text)
            return cls(int(fields["answer_id"]), str(fields["channel_id"]), str(fields["thread_ts"]))
        except (ValueError, TypeError, KeyError) as error:
            raise BadInput("That form does not belong to an answer any more. Press 👎 again.") from error


@dataclass(frozen=True)
class Start:
    """What the field for the right answer is filled with: the bot's answer, a reply (proposal), or a vote's words."""

    kind: Literal["bot", "reply", "vote"] = "bot"
    id: int = 0

    @classmethod
    def load(cls, value: str) -> "Start":
        """From an option's value; what is not ours is the bot's answer."""
        kind, _, number = value.partition("-")
        if number.isascii() and number.isdigit() and len(number) <= 18 and kind in ("reply", "vote"):
            return cls("reply" if kind == "reply" else "vote", int(number))
        return cls()

    def dump(self) -> str:
        """As an option's value."""
        return f"{self.kind}-{self.id}"


@dataclass(frozen=True)
class ReviewFlow:
    """Where a reviewer stands: the answer on screen, the near-duplicates listed, decisions so far, the last batch."""

    answer_id: int
    alike: tuple[int, ...] = ()
    decided: int = 0
    batch: str = ""
    start: Start = Start()

    def dump(self) -> str:
        """As private metadata."""
        return json.dumps(asdict(self) | {"start": self.start.dump()})

    @classmethod
    def load(cls, text: str) -> "ReviewFlow":
        """From private metadata.

        Raises:
            BadInput: it is not what we wrote.
        """
        try:
            fields = json.loads(text)
            alike = tuple(int(number) for number in fields["alike"])
            start = Start.load(str(fields["start"]))
            return cls(int(fields["answer_id"]), alike, int(fields["decided"]), str(fields["batch"]), start)
        except (ValueError, TypeError, KeyError) as error:
            raise BadInput("That form does not belong to an answer any more. Open the Home tab anew.") from error


@dataclass(frozen=True)
class StepPlace:
    """What an admin is about to do with which version; for a rollback `name` is what production was."""

    step: str
    name: str

    def dump(self) -> str:
        """As private metadata."""
        return json.dumps(asdict(self))

    @classmethod
    def load(cls, text: str) -> "StepPlace":
        """From private metadata.

        Raises:
            BadInput: it is not what we wrote.
        """
        try:
            fields = json.loads(text)
            return cls(str(fields["step"]), str(fields["name"]))
        except (ValueError, TypeError, KeyError) as error:
            raise BadInput("That form does not belong to a version any more. Open the Home tab anew.") from error
