"""Exact facts: found, in one form, and compared."""

import pytest

from trainer.facts import facts, recall


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Call +1-202-555-0143 or (0)30 1234 567.", {"12025550143", "0301234567"}),
        ("From abroad +44 (0)20 7946 0018 or +1 (202) 555-0143", {"4402079460018", "12025550143"}),
        ("Write to refunds@lanternmoor.example.", {"refunds@lanternmoor.example"}),
        ("See https://www.alderlake.example/returns, please.", {"alderlake.example/returns"}),
        ("It is at lanternmoor.example/back and not elsewhere", {"lanternmoor.example/back"}),
        ("Open Monday, 8 am to 8 p.m. and at 14:30.", {"08:00", "20:00", "14:30"}),
        ("Noon is 12 pm, midnight 12:00 am.", {"12:00", "00:00"}),
        ("It costs $1,200.00 or 6.40 dollars, 15% off.", {"1200", "6.4", "15"}),
        ("Add line CX-19 and ask extension 212.", {"CX-19", "212"}),
        ("On 2026-03-09 we close.", {"2026-03-09"}),
        ("Back within 45 days. Then wait.", {"45"}),
        ("1. Open the app\n2. Press send", set()),
        ("Nothing exact here!", set()),
        ("", set()),
    ],
)
def test_facts_are_found_in_one_form(text: str, found: set[str]) -> None:
    assert facts(text) == found


def test_recall_is_the_share_of_the_references_facts() -> None:
    reference = "Dial 212 until 2 pm, or write to help@acme.example."
    assert recall(reference, "Write to HELP@ACME.example, or dial 212 before 14:00") == 1.0
    assert recall(reference, "Dial 212.") == pytest.approx(1 / 3)
    assert recall(reference, "Dial 2120.") == 0.0
    assert recall("No facts.", "212") is None
