import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_direct_dependency_is_explained_and_nothing_else() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [
        *project["dependencies"],
        *(name for extra in project["optional-dependencies"].values() for name in extra),
    ]
    names = {re.split(r"[\[<>=; ]", requirement)[0] for requirement in wanted}
    rows = re.findall(r"^\| ([a-z][\w, -]*) \|", (ROOT / "docs" / "dependencies.md").read_text(), re.MULTILINE)
    explained = {name for row in rows for name in row.split(", ")} - {"package"}
    assert explained == names


def test_every_table_is_explained() -> None:
    from store.tables import Ticket

    text = (ROOT / "docs" / "design.md").read_text()
    assert [table for table in Ticket.metadata.tables if f"`{table}`" not in text] == []
