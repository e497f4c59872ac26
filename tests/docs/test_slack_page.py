import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "slack.md"


def test_every_test_that_the_page_names_exists() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE.read_text())
    assert len(named) > 40
    missing = [
        f"{file}::{name}"
        for file, name in named
        if not (ROOT / file).is_file() or not re.search(rf"^(async )?def {name}\(", (ROOT / file).read_text(), re.M)
    ]
    assert missing == []


def test_every_row_of_the_page_names_a_test() -> None:
    shown = PAGE.read_text().split("## What is shown by which test")[1]
    rows = [line for line in shown.splitlines() if line.startswith("| ") and not line.startswith("| it ")]
    assert [row for row in rows if "`tests/" not in row] == []
