import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "promises.md"
NAMES = [
    *(f"R{number}" for number in range(1, 19)),
    *(f"S{number}" for number in range(1, 21)),
    *(f"LLM{number:02}" for number in range(1, 11)),
]


def rows() -> dict[str, str]:
    return dict(re.findall(r"^\| ((?:R|S|LLM)\d+) \| (.*)$", PAGE.read_text(), re.MULTILINE))


def test_each_promise_has_its_row() -> None:
    found = re.findall(r"^\| ((?:R|S|LLM)\d+) \|", PAGE.read_text(), re.MULTILINE)
    assert found == NAMES


def test_every_test_that_the_page_names_exists() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE.read_text())
    assert len(named) > 100
    assert [each for each in named if not _exists(*each)] == []


def test_the_search_for_tests_is_not_blind() -> None:
    assert _exists("tests/docs/test_promises_page.py", "test_each_promise_has_its_row")
    assert not _exists("tests/docs/test_promises_page.py", "test_each_promise_has")
    assert not _exists("tests/docs/test_nothing.py", "test_each_promise_has_its_row")


def test_a_promise_without_a_test_says_so() -> None:
    assert [name for name, row in rows().items() if "`tests/" not in row and "Not yet:" not in row] == []


def test_every_link_of_the_page_leads_somewhere() -> None:
    linked = re.findall(r"\((\w+\.md)(?:#([\w-]+))?\)", PAGE.read_text())
    for file, anchor in linked:
        headings = re.findall(r"^#+ (.+)$", (ROOT / "docs" / file).read_text(), re.MULTILINE)
        anchors = {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
        assert not anchor or anchor in anchors, f"{file}#{anchor}"


def _exists(file: str, name: str) -> bool:
    path = ROOT / file
    return path.is_file() and re.search(rf"^(async )?def {name}\(", path.read_text(), re.MULTILINE) is not None
