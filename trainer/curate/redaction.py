"""Personal data and secrets are masked before a lesson is written down.

What askers say about themselves is not learnt. What the team itself gives out (its telephone number, the address for
returns) is: a value that stands in the answers of several tickets belongs to the team.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from store.prompt import ChatMessage
from store.redact import Kind, redact, values
from trainer.curate.lesson import Lesson, Reason, Tally

TICKETS_OF_A_PUBLIC_VALUE = 3
NEVER_LEARNT = (Kind.SECRET, Kind.CARD, Kind.SOCIAL_SECURITY)


def without_personal_data(lessons: Sequence[Lesson], tally: Tally) -> list[Lesson]:
    """The lessons with every person's data and every secret masked; how many were changed is counted.

    An answer keeps what it tells and the asker did not: it was approved as it stands. Secrets, card numbers and
    social security numbers are masked wherever they are.
    """
    public = _public_values(lessons)
    masked = [_masked(lesson, public) for lesson in lessons]
    tally.masked += sum(
        before.prompt != after.prompt or before.completion != after.completion
        for before, after in zip(lessons, masked, strict=True)
    )
    return masked


def without_unapproved_data(voted: Sequence[Lesson], reviewed: Sequence[Lesson], tally: Tally) -> list[Lesson]:
    """Answers that nobody reviewed, where they tell nothing personal but what `reviewed` ones give out; prompts masked.

    A model must not learn to say what no reviewer has read, nor that an answer ends in a mask.
    """
    public = _public_values(reviewed)
    kept = tally.keep(voted, lambda lesson: Reason.UNAPPROVED_DATA if set(values(lesson.completion)) - public else None)
    return [
        replace(
            lesson,
            prompt=[_masked_turn(turn, public) for turn in lesson.prompt],
            opening=redact(lesson.opening, public),
        )
        for lesson in kept
    ]


def _public_values(lessons: Sequence[Lesson]) -> set[str]:
    told = {(lesson.ticket_id, value) for lesson in lessons for value in values(lesson.completion)}
    tickets = Counter(value for _, value in told)
    return {value for value, count in tickets.items() if count >= TICKETS_OF_A_PUBLIC_VALUE and not _secret(value)}


def _masked(lesson: Lesson, public: set[str]) -> Lesson:
    said = {value for turn in lesson.prompt if turn["role"] == "user" for value in values(turn["content"])}
    kept = public | {value for value in values(lesson.completion) - said if not _secret(value)}
    return replace(
        lesson,
        prompt=[_masked_turn(turn, public) for turn in lesson.prompt],
        completion=redact(lesson.completion, kept),
        rejected=redact(lesson.rejected, kept),
        opening=redact(lesson.opening, public),
    )


def _masked_turn(turn: ChatMessage, public: set[str]) -> ChatMessage:
    if turn["role"] == "system":
        return turn
    return {"role": turn["role"], "content": redact(turn["content"], public)}


def _secret(value: str) -> bool:
    return value.startswith(tuple(f"{kind}:" for kind in NEVER_LEARNT))
