import json
import os
import re
import statistics
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from store import people
from store.session import Store
from store.settings import Settings
from store.tables import Adapter, Night
from store.words import NightState

ROOT = Path(__file__).parents[2]
COMMANDS = [
    "import",
    "export",
    "forget",
    "lineage",
    "versions",
    "promote",
    "rollback",
    "canary",
    "backup",
    "doctor",
    "restore",
    "move-database",
    "compare",
    "knowledge",
    "night",
    "nights",
    "report",
    "audit",
    "backup",
    "doctor",
    "simulate",
    "run",
    "serve",
    "bot",
    "scheduler",
    "workspace",
]
HEAVY = {"torch", "transformers", "vllm", "slack_bolt", "slack_sdk", "sqlalchemy", "sqlmodel", "pydantic", "aiohttp"}


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NIGHTSCHOOL_")}
    kept |= {"NIGHTSCHOOL_HOME": str(tmp_path / "home"), "PYTHONPATH": str(ROOT), "COLUMNS": "160", "NO_COLOR": "1"}
    return kept


def nightschool(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "nightschool", *arguments],
        capture_output=True,
        text=True,
        env=environment,
        cwd=Path(environment["NIGHTSCHOOL_HOME"]).parent,
        timeout=60,
    )


def test_help_appears_at_once(environment: dict[str, str]) -> None:
    seconds = []
    for _ in range(3):
        started = time.monotonic()
        shown = nightschool(environment, "--help")
        seconds.append(time.monotonic() - started)
    assert all(command in shown.stdout for command in COMMANDS)
    # 0.3 s on a quiet machine; the bound leaves room for a busy one.
    assert statistics.median(seconds) < 1.5


def test_help_imports_nothing_heavy(environment: dict[str, str]) -> None:
    code = (
        "import sys; sys.argv = ['nightschool', '--help']\nimport nightschool\n"
        "try:\n    nightschool.main()\nexcept SystemExit:\n    pass\n"
        "print('IMPORTED', *sorted({name.split('.')[0] for name in sys.modules}))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    imported = set(shown.stdout.rsplit("IMPORTED", 1)[1].split())
    assert "typer" in imported
    assert imported & HEAVY == set()


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_an_example(environment: dict[str, str], command: str) -> None:
    shown = nightschool(environment, command, "--help")
    assert shown.returncode == 0
    assert re.search(rf"Example: .*nightschool {command}\b", shown.stdout)


def test_without_a_canary_there_is_nothing_to_stop(environment: dict[str, str]) -> None:
    assert "No canary is running." in nightschool(environment, "canary", "status").stdout
    stopped = nightschool(environment, "canary", "stop")
    assert stopped.returncode == 1
    assert "No canary is running." in stopped.stderr
    started = nightschool(environment, "canary", "start", "v7")
    assert started.returncode == 1
    assert "no version called 'v7'" in started.stderr


def test_documents_are_added_searched_listed_and_removed(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "returns.md").write_text("# Returns\n\nUnused gear can come back within 45 days.")
    (tmp_path / "broken.pdf").write_text("no pdf")
    added = nightschool(environment, "knowledge", "add", "returns.md", "broken.pdf")
    assert added.returncode == 1
    assert "1 of 2 files can be looked up now." in added.stdout
    assert "broken.pdf cannot be used" in added.stderr
    assert "within 45 days" in nightschool(environment, "knowledge", "search", "How long for returns?").stdout
    assert "Returns" in nightschool(environment, "knowledge", "list").stdout
    assert nightschool(environment, "knowledge", "remove", "returns.md").returncode == 0
    assert "45 days" not in nightschool(environment, "knowledge", "search", "How long for returns?").stdout
    again = nightschool(environment, "knowledge", "remove", "returns.md")
    assert again.returncode == 1
    assert "There is no returns.md" in again.stderr


def test_a_backup_comes_back_in_another_home(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "returns.md").write_text("# Returns\n\nUnused gear can come back within 45 days.")
    nightschool(environment, "knowledge", "add", "returns.md")
    assert nightschool(environment, "backup", "all.tar").returncode == 0
    elsewhere = environment | {"NIGHTSCHOOL_HOME": str(tmp_path / "elsewhere")}
    assert nightschool(elsewhere, "restore", "all.tar").returncode == 0
    assert "within 45 days" in nightschool(elsewhere, "knowledge", "search", "How long for returns?").stdout
    again = nightschool(elsewhere, "restore", "all.tar")
    assert again.returncode == 1
    assert "files already" in again.stderr


def test_import_then_export(environment: dict[str, str], tmp_path: Path) -> None:
    lines = [json.dumps({"question": f"Question {n}?", "reply": "Yes."}) for n in range(5)]
    bad = [json.dumps({"question": f"No answer {n}?"}) for n in range(30)]
    (tmp_path / "past.jsonl").write_text("\n".join(lines + bad))
    imported = nightschool(environment, "import", "past.jsonl", "--map", "answer=reply", "--errors", "bad.txt")
    assert imported.returncode == 0
    assert "5 added, 0 already there, 30 bad." in imported.stdout
    assert imported.stdout.count("has no field 'reply'") == 20
    assert "and 10 more" in imported.stdout
    written = (tmp_path / "bad.txt").read_text().splitlines()
    assert len(written) == 30
    assert written[0].startswith("line 6: has no field 'reply'")
    again = nightschool(environment, "import", "past.jsonl", "--map", "answer=reply")
    assert "0 added, 5 already there" in again.stdout
    exported = nightschool(environment, "export", "out.jsonl")
    assert "Wrote 5 answers to out.jsonl." in exported.stdout
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 5


@pytest.mark.parametrize(
    ("arguments", "changed", "said"),
    [
        (["import", "/nowhere.csv"], {}, "There is no file /nowhere.csv"),
        (["import", sys.executable], {}, "is a binary file"),
        (["import", "x.csv", "--map", "answer"], {}, "--map takes NAME=COLUMN"),
        (["export", "/"], {}, "/ is a folder"),
        (["export", "x.jsonl"], {"NIGHTSCHOOL_HOME": "/dev/null/home"}, "/dev/null/home cannot be written"),
        (["export", "x.jsonl"], {"NIGHTSCHOOL_TRAINING__EPOCHS": "many"}, "training.epochs"),
        (["export", "x.jsonl"], {"NIGHTSCHOOL_TRANING__EPOCHS": "2"}, "NIGHTSCHOOL_TRANING__EPOCHS"),
        (["export", "x.jsonl"], {"NIGHTSCHOOL_SERVING__URLS": "[not json"}, "The settings cannot be read"),
    ],
)
def test_a_known_problem_is_one_sentence_without_a_traceback(
    environment: dict[str, str], arguments: list[str], changed: dict[str, str], said: str
) -> None:
    folder = Path(environment["NIGHTSCHOOL_HOME"]).parent
    shown = subprocess.run(
        [sys.executable, "-m", "nightschool", *arguments],
        capture_output=True,
        text=True,
        env=environment | changed,
        cwd=folder,
    )
    assert shown.returncode == 1
    assert said in shown.stderr
    assert "Traceback" not in shown.stderr
    assert len(shown.stderr.strip().splitlines()) == 1


def test_an_unknown_problem_is_a_sentence_and_a_log(environment: dict[str, str], tmp_path: Path) -> None:
    nightschool(environment, "export", "first.jsonl")
    with (tmp_path / "home" / "nightschool.db").open("r+b") as database:
        database.write(b"this is no database any more" * 200)
    for leftover in ("-wal", "-shm"):
        (tmp_path / "home" / f"nightschool.db{leftover}").unlink(missing_ok=True)
    shown = nightschool(environment, "export", "second.jsonl")
    assert shown.returncode == 1
    assert "Something went wrong that we had not foreseen" in shown.stderr
    assert "Traceback" not in shown.stderr
    log = tmp_path / "home" / "logs" / "errors.log"
    assert str(log) in shown.stderr
    assert "Traceback" in log.read_text()


@pytest.fixture
def same_home(environment: dict[str, str], settings: Settings) -> dict[str, str]:
    """The environment of a command that opens the database of `sqlite_store`."""
    return environment | {"NIGHTSCHOOL_HOME": str(settings.home)}


def test_versions_shows_what_is_stored(same_home: dict[str, str], sqlite_store: Store) -> None:
    note = "[bold] note"
    with sqlite_store.writing() as session:
        session.add(
            Adapter(version=3, name="v3", path="/p", sha256="0", base_model="m", base_sha256="0", rank=16, note=note)
        )
    shown = nightschool(same_home, "versions")
    assert shown.returncode == 0, shown.stderr
    assert "v3" in shown.stdout
    assert note in shown.stdout
    assert "Production answers with base." in shown.stdout


def test_audit_verify_passes_a_whole_log_and_names_the_row_that_was_changed(
    same_home: dict[str, str], sqlite_store: Store
) -> None:
    with sqlite_store.writing() as session:
        for person in ("U1", "U2", "U1"):
            people.set_learning(session, "T1", person, opted_out=True)
    whole = nightschool(same_home, "audit", "verify")
    assert (whole.returncode, whole.stderr) == (0, "")
    seen = whole.stdout.split("--since ")[1].strip()
    assert nightschool(same_home, "audit", "verify", "--since", seen).returncode == 0
    listed = nightschool(same_home, "audit", "list", "--action", "opt_out")
    assert listed.stdout.count("opt_out") == 3
    assert "U2" in listed.stdout
    with sqlite_store.engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER audit_entry_update")
        connection.exec_driver_sql("UPDATE audit_entry SET about = 'x' WHERE number = 2")
    broken = nightschool(same_home, "audit", "verify")
    assert (broken.returncode, broken.stdout) == (1, "")
    assert "broken at entry 2" in broken.stderr


def test_nights_shows_what_is_stored(same_home: dict[str, str], sqlite_store: Store) -> None:
    at = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
    with sqlite_store.writing() as session:
        session.add(Night(key="2026-11-23", state=NightState.DECLINED, outcome="Nothing new to learn.", created_at=at))
    shown = nightschool(same_home, "nights")
    assert shown.returncode == 0, shown.stderr
    assert "2026-11-23 02:00 UTC" in shown.stdout
    assert "Nothing new to learn." in shown.stdout


def test_one_night_can_be_shown_and_an_unknown_one_is_said(same_home: dict[str, str], sqlite_store: Store) -> None:
    with sqlite_store.writing() as session:
        session.add(Night(key="2026-11-23", state=NightState.DECLINED, outcome="Nothing new to learn."))
    shown = nightschool(same_home, "night", "show", "2026-11-23")
    assert "Nothing new to learn." in shown.stdout, shown.stderr
    unknown = nightschool(same_home, "night", "show", "1999-01-01")
    assert unknown.returncode == 1
    assert "There is no night 1999-01-01" in unknown.stderr
