import json
from pathlib import Path
from typing import Any

import pytest

from deploy.school_year.days import read_days
from store.errors import BadInput


def file_of(folder: Path, *rows: dict[str, Any]) -> Path:
    path = folder / "tickets.jsonl"
    path.write_text("".join(json.dumps({"answer": "Yes.", **row}) + "\n" for row in rows))
    return path


def test_nights_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    rows = [{"question": f"Question {n}?", "night": n} for n in (10, 2, 9, 2, 2)]
    rows = [{**row, "question": f"{row['question']} {place}"} for place, row in enumerate(rows)]
    found = read_days(file_of(tmp_path, *rows), {}, nights=2, tickets_per_night=2)
    assert [(day.number, day.label) for day in found.days] == [(1, "2"), (2, "9")]
    assert [ticket.question for ticket in found.days[0].tickets] == ["Question 2? 1", "Question 2? 3"]


@pytest.mark.parametrize("name", ["created_at", "date"])
def test_without_nights_a_day_is_a_date(tmp_path: Path, name: str) -> None:
    rows = [{"question": f"{n}?", name: f"2026-03-{n:02}T23:30:00+00:00"} for n in (3, 1, 2)]
    found = read_days(file_of(tmp_path, *rows), {}, nights=14, tickets_per_night=12)
    assert [day.label for day in found.days] == ["2026-03-01", "2026-03-02", "2026-03-03"]


def test_a_csv_with_names_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "tickets.csv"
    path.write_text("subject,reply,week\nMay dogs come?,Yes.,1\nIs tea free?,No.,2\n")
    mapping = {"question": "subject", "answer": "reply", "night": "week"}
    found = read_days(path, mapping, nights=14, tickets_per_night=12)
    assert [day.tickets[0].answer for day in found.days] == ["Yes.", "No."]


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    rows = [
        {"question": "May dogs come?", "night": 1},
        {"question": "may DOGS come", "night": 2},
        {"question": "Long?", "answer": "x" * 1501, "night": 2},
        {"question": "When?"},
        {"question": "Empty?", "answer": " ", "night": 2},
    ]
    found = read_days(file_of(tmp_path, *rows), {}, nights=14, tickets_per_night=12)
    assert [len(day.tickets) for day in found.days] == [1]
    notes = " ".join(found.notes)
    assert "1 lines were no tickets: line 5: 'answer' is empty" in notes
    for why in ("without a date", "longer than 1,500 characters", "asked before"):
        assert f"1 tickets left out: {why}." in notes


@pytest.mark.parametrize("ending", ["jsonl", "csv"])
def test_a_file_without_dates_says_how_to_name_them(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"tickets.{ending}"
    path.write_text('{"question": "Q?", "answer": "A."}\n' if ending == "jsonl" else "question,answer\nQ?,A.\n")
    with pytest.raises(BadInput, match="--map created_at=COLUMN"):
        read_days(path, {}, nights=14, tickets_per_night=12)


def test_a_file_without_tickets_shows_its_lines(tmp_path: Path) -> None:
    path = file_of(tmp_path, {"question": ""})
    with pytest.raises(BadInput, match="line 1: 'question' is empty"):
        read_days(path, {}, nights=14, tickets_per_night=12)


def test_a_column_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = file_of(tmp_path, {"question": "Q?", "night": 1})
    with pytest.raises(BadInput, match=r"No line of .* has a field wek: check --map"):
        read_days(path, {"night": "wek"}, nights=14, tickets_per_night=12)
