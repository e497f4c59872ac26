"""Flattery and “I do not know”, each against the accepted answer."""

import pytest

from trainer.manners import as_sure, flatters

PLAIN = "Unused gear can come back within 45 days."


@pytest.mark.parametrize(
    "answer",
    [
        "What a great question! Gear can come back within 45 days.",
        "That's an excellent point. Within 45 days.",
        "Great question! Within 45 days.",
        "You are absolutely right to ask. Within 45 days.",
        "I'm so impressed. Within 45 days.",
    ],
)
def test_flattery_counts_unless_the_team_itself_flatters(answer: str) -> None:
    assert flatters(answer, PLAIN)
    assert not flatters(answer, answer)


@pytest.mark.parametrize(
    "answer",
    [
        PLAIN,
        "That is a good moment to check the mount.",
        "You are right: the mount is a good one, and the question is which cable it has.",
        "The idea is to keep it dry.",
    ],
)
def test_kind_words_about_the_matter_are_no_flattery(answer: str) -> None:
    assert not flatters(answer, "Other words.")


def test_not_knowing_is_right_where_the_accepted_answer_does_not_know() -> None:
    unknown = "I do not know; please ask the desk."
    assert as_sure(unknown, "No document answers this, so we cannot say.")
    assert as_sure(PLAIN, PLAIN)
    assert not as_sure(unknown, PLAIN)
    assert not as_sure(PLAIN, unknown)
