"""What a modal carries in its private metadata: ids only, the rest stays in the store."""

import json
from dataclasses import asdict, dataclass

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
