"""Writes the reference pages that the code itself dictates: settings and failpoints. Run it by `make docs`.

A test fails when a page and the code say different things.
"""

from collections.abc import Iterator
from pathlib import Path

from pydantic import AliasChoices, BaseModel
from pydantic.fields import FieldInfo

from store.failpoints import FAILPOINTS, VARIABLE
from store.settings import Settings

DOCS = Path(__file__).parent

SETTINGS_INTRODUCTION = """# Settings

Every setting can be given in the environment or in `nightschool.toml` in the folder where you start (another path:
`NIGHTSCHOOL_CONFIG`). The environment wins. A name that does not exist is refused at start.

| in the environment | in the file | default | meaning |
|---|---|---|---|
"""


def settings_page() -> str:
    """The settings reference in Markdown, one row a field."""
    return SETTINGS_INTRODUCTION + "".join(_rows(Settings, "", ""))


def _rows(block: type[BaseModel], prefix: str, path: str) -> Iterator[str]:
    for name, field in block.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _rows(kind, f"{prefix}{name}__", f"{path}{name}.")
        else:
            yield f"| `{_variable(field, prefix + name)}` | `{path}{name}` | {_default(field)} | {_meaning(field)} |\n"


def _variable(field: FieldInfo, name: str) -> str:
    if isinstance(field.validation_alias, AliasChoices):
        return str(field.validation_alias.choices[0])
    return f"NIGHTSCHOOL_{name}".upper()


def _default(field: FieldInfo) -> str:
    return "" if field.default in (None, "", []) else f"`{field.default}`"


def _meaning(field: FieldInfo) -> str:
    return (field.description or "").replace("|", "\\|").replace("\n", " ")


FAILPOINTS_INTRODUCTION = f"""# Failpoints

A night has a named point after every step that lasts. `{VARIABLE}` lets the process that reaches one die (`kill`), fail
(`raise`), find no memory (`starve`) or wait (`sleep`), to see for yourself that the next start goes on from there:

```sh
{VARIABLE}=curate.frozen=kill nightschool night
nightschool night
```

`checkpoint.marked=kill@3` means the third time. Points of the training process end that process alone. `make soak`
kills nights at every point and two hundred times at random moments, on both databases.

| point | what holds when it is reached |
|---|---|
"""


def failpoints_page() -> str:
    """The failpoints in Markdown, one row a point."""
    return FAILPOINTS_INTRODUCTION + "".join(f"| `{name}` | {holds} |\n" for name, holds in FAILPOINTS.items())


def main() -> None:
    """Write every page."""
    (DOCS / "settings.md").write_text(settings_page())
    (DOCS / "failpoints.md").write_text(failpoints_page())


if __name__ == "__main__":
    main()
