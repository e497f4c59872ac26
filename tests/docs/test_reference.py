from docs.generate import DOCS, failpoints_page, settings_page


def test_the_settings_page_says_what_the_code_says() -> None:
    assert (DOCS / "settings.md").read_text() == settings_page(), "run `make docs`"


def test_the_failpoints_page_says_what_the_code_says() -> None:
    assert (DOCS / "failpoints.md").read_text() == failpoints_page(), "run `make docs`"


def test_every_setting_is_explained() -> None:
    rows = [line for line in settings_page().splitlines() if line.startswith("| `")]
    assert len(rows) > 30
    assert not [row for row in rows if row.endswith("|  |")]
