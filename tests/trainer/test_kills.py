"""A night that is killed, at each named point and at any moment, is ended by the next start as if it had not been."""

import ast
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from store.errors import BadInput
from store.failpoints import FAILPOINTS, VARIABLE, FailpointReached, failpoint
from tests.conftest import new_postgres_database
from tests.trainer.kills import LEASE_S, ROOT, School
from tests.training.conftest import base_model as tiny_model

__all__ = ["tiny_model"]

RANDOM_KILLS = 200
KILLS_A_NIGHT = 5
"""At most: a night that goes on after a kill is killed again, which reaches the moments of its second half."""


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def school(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, tiny_model: Path
) -> Iterator[School]:
    """Reviewed tickets before their first night."""
    home = tmp_path_factory.mktemp("school") / "home"
    home.mkdir()
    url = f"sqlite:///{home / 'nightschool.db'}"
    if request.param == "postgres":
        url = new_postgres_database(request.getfixturevalue("postgres_url"))
    made = School(home, url, tiny_model)
    made.fill()
    yield made
    made.drop()


@pytest.fixture(scope="module")
def unharmed(school: School) -> tuple[str, float]:
    """The dataset of a night that nobody killed, and the seconds that it took."""
    copy = school.copy(school.home.with_name("unharmed"))
    started = time.monotonic()
    sha256 = copy.finish()
    seconds = time.monotonic() - started
    copy.drop()
    return sha256, seconds


def names_in_the_code() -> list[str]:
    """The names that `failpoint(…)` is called with, wherever it is called."""
    found = []
    for folder in ("store", "trainer", "serving", "bot"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text())):
                called = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "failpoint"
                if called and isinstance(node.args[0], ast.Constant):
                    found.append(str(node.args[0].value))
    return found


def test_every_point_is_named_once_and_passed_somewhere() -> None:
    assert sorted(names_in_the_code()) == sorted(FAILPOINTS)


def test_a_point_does_what_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    failpoint("night.begun")
    monkeypatch.setenv(VARIABLE, "night.begun=raise@2, curate.frozen=kill")
    failpoint("night.begun")
    with pytest.raises(FailpointReached, match="begun"):
        failpoint("night.begun")
    failpoint("night.begun")
    for wrong in ("night.begun", "nowhere=kill", "night.begun=explode", "night.begun=kill@x"):
        monkeypatch.setenv(VARIABLE, wrong)
        with pytest.raises(BadInput, match="NAME=ACTION"):
            failpoint("night.begun")


@pytest.mark.slow
@pytest.mark.parametrize("school", ["sqlite"], indirect=True)
def test_some_kills(school: School, unharmed: tuple[str, float], tmp_path: Path) -> None:
    for name in ("curate.frozen", "adapter.written", "register.published"):
        _killed(school, tmp_path / "killed", unharmed, name)


@pytest.mark.soak
@pytest.mark.parametrize("name", FAILPOINTS)
def test_a_kill_at_each_point(school: School, unharmed: tuple[str, float], tmp_path: Path, name: str) -> None:
    _killed(school, tmp_path / "killed", unharmed, name)


def _killed(school: School, home: Path, unharmed: tuple[str, float], name: str) -> None:
    copy = school.copy(home)
    try:
        assert copy.killed_at(name), f"{name} was never reached"
        assert copy.finish() == unharmed[0]
    finally:
        copy.drop()


@pytest.mark.soak
@pytest.mark.timeout(4 * 3600)
def test_kills_at_any_moment(school: School, unharmed: tuple[str, float], tmp_path: Path) -> None:
    sha256, seconds = unharmed
    moments, kills, nights = random.Random(0), 0, 0
    while kills < RANDOM_KILLS:
        copy = school.copy(tmp_path / "killed")
        killed_after: list[float] = []
        try:
            while len(killed_after) < KILLS_A_NIGHT and not copy.ended():
                moment = moments.uniform(0, seconds / 2)
                if not copy.killed_after(moment):
                    break
                killed_after.append(round(moment, 2))
                time.sleep(LEASE_S)
            assert copy.finish() == sha256, f"killed after {killed_after} s"
        finally:
            copy.drop()
        kills, nights = kills + len(killed_after), nights + 1
        print(f"{kills} kills in {nights} nights: none harmed", flush=True)
