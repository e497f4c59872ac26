"""Table, sentence and chart from scores that are made up here."""

from pathlib import Path

import pytest

from deploy.school_year.chart import draw, measure_of
from deploy.school_year.records import (
    BASE_MODEL,
    COPIED,
    NIGHTSCHOOL,
    RETRIEVAL,
    NightRecord,
    Plan,
    Question,
    Records,
    Said,
)
from deploy.school_year.report import sentence, table, write_report
from store.errors import BadInput
from trainer.scores import CHRF, FACTS, ROUGE

WHO = (NIGHTSCHOOL, BASE_MODEL, RETRIEVAL, COPIED)
PLAN = Plan(file_sha256="a", mapping={}, tickets_per_night=4, promote_all=True, documents="", base_model="m")


def night(number: int, right: dict[str, int], *, verdict: str = "promote", chrf: float = 20.0) -> NightRecord:
    """A day of four questions, of which `right` says how many each answered right."""
    questions = []
    for place in range(4):
        said = {}
        for who in WHO:
            facts = 100.0 if place < right.get(who, 0) else 0.0
            found = {FACTS: facts, CHRF: chrf if who == NIGHTSCHOOL else 10.0, ROUGE: 0.0}
            said[who] = Said(text="x", by=f"v{number - 1}" if who == NIGHTSCHOOL else who, scores=found)
        questions.append(Question(id=f"{number}-{place}", question="q", answer="a", said=said))
    made = f"v{number}"
    return NightRecord(
        number=number, label=f"day {number}", questions=questions, reviewed=True, finished=True, verdict=verdict,
        version=made, production=made if verdict == "promote" else f"v{number - 1}", train_rows=3, held_out_rows=1,
        outcome=f"{made}: because.", seconds=60,
    )  # fmt: skip


YEAR = [
    night(1, {}),
    night(2, {NIGHTSCHOOL: 1, COPIED: 2}, verdict="hold"),
    night(3, {NIGHTSCHOOL: 2, COPIED: 2}),
    night(4, {NIGHTSCHOOL: 3, COPIED: 1}),
]


def test_the_table_has_a_row_a_night_and_the_means() -> None:
    lines = table(YEAR).splitlines()
    assert lines[0] == "Questions answered right, %:"
    assert lines[5] == "| day 2 | 4 | v1 | 25 | 0 | 50 | 0 | 3, 1 | v2: hold | v1 |"
    assert lines[-1] == "| **all** | 16 | | **38** | **0** | **31** | **0** | | | |"


def test_the_sentence_tells_the_end_the_beginning_and_the_others() -> None:
    said = sentence(YEAR)
    # Six of the twelve questions of the last three days; Wilson's interval for 6 of 12.
    assert "After 4 nights Nightschool answered 50 % (25 to 75 %) of the questions right" in said
    assert "12 questions of the last 3 days; on the first day 0 %" in said
    assert "closest past answer, copied 42 %" in said


def test_where_hardly_anything_is_right_wording_tells_more() -> None:
    year = [night(number, {}, chrf=10.0 * number) for number in (1, 2)]
    assert measure_of(year)[0].startswith("closeness")
    assert "Nightschool answered 15 chrF" in sentence(year)


def test_the_report_says_how_the_gate_decided(tmp_path: Path) -> None:
    page = write_report(tmp_path, YEAR, ["A fact."]).read_text()
    assert "The gate said: promote 3 times, hold 1 times. On day 2 it said: “v2: because.”" in page
    assert "- A fact." in page
    assert "It took 4 minutes for 4 nights." in page
    assert (tmp_path / "school-year.png").read_bytes().startswith(b"\x89PNG")


def test_the_curve_rises_where_answers_get_right() -> None:
    assert draw(YEAR) != draw([night(number, {NIGHTSCHOOL: 1}) for number in range(1, 5)])


def test_one_night_is_enough_for_a_chart() -> None:
    assert draw(YEAR[:1]).startswith(b"\x89PNG")


def test_records_are_kept_and_another_year_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "out" / "home" / "year"
    records = Records(folder, PLAN)
    records.put(YEAR[1])
    records.put(YEAR[0].model_copy(update={"finished": False}))
    again = Records(folder, PLAN)
    assert again.get(2) == YEAR[1]
    assert again.get(3) is None
    assert [record.number for record in again.finished()] == [2]
    with pytest.raises(BadInput, match="differs in tickets_per_night"):
        Records(folder, PLAN.model_copy(update={"tickets_per_night": 5}))
