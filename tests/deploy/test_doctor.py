"""The doctor finds each of these planted faults, names its cure, and finds nothing where nothing is wrong."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from deploy import doctor
from deploy.doctor import machine
from deploy.workspace.server import Running
from serving.base_model import BaseModel
from store import adapters, nights, outbox
from store.session import Store
from store.tables import Document, InboxEvent, OutboxMessage, now
from store.words import NightState, OutboxState
from tests.bot.model_server import ScriptedModel, serving_model
from tests.fixtures_serving import make_adapter
from tests.fixtures_workspace import ADMINS, MEI, RAVI, workspace
from tests.store.test_adapters import fields

__all__ = ["workspace"]

Plant = Callable[["Patient"], None]


class Patient:
    """An installation: its environment, its store and its home."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, home: Path, store: Store, base: BaseModel) -> None:
        self.monkeypatch, self.home, self.store, self.base = monkeypatch, home, store, base

    def sql(self, *statements: str) -> None:
        with self.store.engine.connect().execution_options(writing=True) as connection, connection.begin():
            for statement in statements:
                connection.execute(text(statement))


@pytest.fixture
async def model() -> AsyncIterator[ScriptedModel]:
    async with serving_model() as running:
        yield running


@pytest.fixture
def patient(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, workspace: Running, model: ScriptedModel, base_model: BaseModel
) -> Patient:
    home = tmp_path / "home"
    store = Store(f"sqlite:///{home / 'nightschool.db'}")
    store.migrate()
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "NIGHTSCHOOL_HOME": str(home),
        "NIGHTSCHOOL_MODELS_FOLDER": str(base_model.path.parent),
        "NIGHTSCHOOL_ADMINS": MEI,
        "NIGHTSCHOOL_REVIEWERS": RAVI,
        "NIGHTSCHOOL_ADMIN_CHANNEL": ADMINS,
        "NIGHTSCHOOL_SERVING__URLS": json.dumps([model.url]),
        "SLACK_BOT_TOKEN": workspace.bot_token,
        "SLACK_APP_TOKEN": workspace.app_token,
        "SLACK_API_URL": workspace.api_url,
    }.items():
        monkeypatch.setenv(name, value)
    return Patient(monkeypatch, home, store, base_model)


def setting(name: str, value: str) -> Plant:
    return lambda patient: patient.monkeypatch.setenv(name, value)


def without(name: str) -> Plant:
    return lambda patient: patient.monkeypatch.delenv(name)


def schema(revision: str) -> Plant:
    return lambda patient: patient.sql(f"UPDATE alembic_version SET version_num = '{revision}'")


def damaged_version(patient: Patient) -> None:
    folder = patient.home.resolve() / "artifacts" / "adapters" / "v1-000000000001"
    made = make_adapter(patient.base, folder, seed=1)
    with patient.store.writing() as session:
        row = {"path": str(folder), "sha256": made.sha256, "base_sha256": patient.base.sha256, "rank": made.rank}
        adapters.register(session, **{**fields(1), **row})
    weights = folder / "adapter_model.safetensors"
    folder.chmod(0o755)
    weights.chmod(0o644)
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")


def failed_night(patient: Patient) -> None:
    with patient.store.writing() as session:
        night = nights.request(session, MEI)
        nights.finish(session, night.id or 0, NightState.FAILED, "The disk is full.")


def overdue_night(patient: Patient) -> None:
    with patient.store.writing() as session:
        nights.plan(session, (now() - timedelta(days=2)).date())


def unposted(patient: Patient) -> None:
    with patient.store.writing() as session:
        outbox.owe(session, "night-1", "morning_card", {"night_id": 1})
        row = outbox.by_key(session, "night-1")
        assert row is not None
        row.state, row.error = OutboxState.FAILED, "not_in_channel"


def late(patient: Patient) -> None:
    with patient.store.writing() as session:
        session.add(OutboxMessage(key="k", kind="fixes", created_at=now() - timedelta(hours=1)))


def stuck(patient: Patient) -> None:
    with patient.store.writing() as session:
        session.add(InboxEvent(id="Ev1", kind="event", received_at=now() - timedelta(hours=1)))


def unreadable(patient: Patient) -> None:
    with patient.store.writing() as session:
        session.add(Document(source="a.pdf", title="a", sha256="", problem="It is no PDF."))


def forged(patient: Patient) -> None:
    with patient.store.writing() as session:
        adapters.register(session, **fields(1))
        adapters.discard(session, "v1", MEI, "")
    patient.sql("DROP TRIGGER audit_entry_update", "UPDATE audit_entry SET actor = 'nobody'")


def open_secrets(patient: Patient) -> None:
    file = patient.home.parent / "nightschool.toml"
    file.write_text('slack_bot_token = "xoxb-mine"\n')
    file.chmod(0o644)


def home_in_a_file(patient: Patient) -> None:
    file = patient.home.parent / "file"
    file.touch()
    patient.monkeypatch.setenv("NIGHTSCHOOL_HOME", str(file / "home"))


def full_disk(patient: Patient) -> None:
    patient.monkeypatch.setattr(machine, "FREE_BYTES", shutil.disk_usage(patient.home).total + 1)


def old_library(patient: Patient) -> None:
    patient.monkeypatch.setattr(machine, "version", lambda name: "0.1" if name == "aiohttp" else "999")


def nobody(patient: Patient) -> None:
    for name in ("NIGHTSCHOOL_ADMINS", "NIGHTSCHOOL_REVIEWERS"):
        patient.monkeypatch.setenv(name, "")


AWAY = "postgresql+psycopg://x:y@127.0.0.1:1/z"
FAULTS: dict[str, tuple[Plant, str, str]] = {
    "a setting that does not exist": (setting("NIGHTSCHOOL_ADMIN", MEI), "no setting called", "Correct it"),
    "a home that cannot be": (home_in_a_file, "cannot be written", "HOME"),
    "a full disk": (full_disk, "MB are free", "old datasets"),
    "secrets in the open": (open_secrets, "other users of this machine", "chmod 600"),
    "a library that is too old": (old_library, "aiohttp 0.1 is older", "setup.sh"),
    "no such zone": (setting("NIGHTSCHOOL_NIGHT__TIMEZONE", "Mars"), "TIMEZONE", "exists"),
    "no such database": (setting("NIGHTSCHOOL_DATABASE_URL", AWAY), "cannot be opened", "DATABASE_URL"),
    "an old schema": (schema("0007"), "schema 0007", "Restart"),
    "a newer schema": (schema("9999"), "newer version", "Install"),
    "a failed night": (failed_night, "The disk is full.", "nightschool night"),
    "no scheduler": (overdue_night, "has not begun", "nightschool scheduler"),
    "a card that could not be posted": (unposted, "not_in_channel", "invite the bot"),
    "messages that wait": (late, "wait for more than ten minutes to be posted", "nightschool bot"),
    "events that wait": (stuck, "events from Slack wait", "nightschool bot"),
    "a document that cannot be read": (unreadable, "a.pdf cannot be looked up", "Mend or remove"),
    "a forged log": (forged, "audit log", "backup"),
    "no such base model": (setting("NIGHTSCHOOL_BASE_MODEL", "no model!"), "neither", "NIGHTSCHOOL_BASE_MODEL"),
    "a damaged version": (damaged_version, "'v1' cannot be served", "rollback"),
    "no model server": (setting("NIGHTSCHOOL_SERVING__URLS", '["http://127.0.0.1:1"]'), "does not answer", "URLS"),
    "no admin": (setting("NIGHTSCHOOL_ADMINS", ""), "no admin", "NIGHTSCHOOL_ADMINS"),
    "no reviewer": (nobody, "no reviewer", "NIGHTSCHOOL_REVIEWERS"),
    "no place for the card": (setting("NIGHTSCHOOL_ADMIN_CHANNEL", ""), "morning card", "ADMIN_CHANNEL"),
    "no bot token": (without("SLACK_BOT_TOKEN"), "no bot token", "SLACK_BOT_TOKEN"),
    "no app token": (without("SLACK_APP_TOKEN"), "no app token", "SLACK_APP_TOKEN"),
    "a wrong token": (setting("SLACK_BOT_TOKEN", "xoxb-wrong"), "refuses the bot token", "Install App"),
    "Slack out of reach": (setting("SLACK_API_URL", "http://127.0.0.1:1/api/"), "cannot be reached", "network"),
}


async def examined() -> list[doctor.Finding]:
    return await asyncio.to_thread(lambda: list(doctor.examine()))


async def test_a_healthy_installation_has_nothing(patient: Patient) -> None:
    assert await examined() == []


@pytest.mark.parametrize("name", FAULTS)
async def test_each_fault_is_found_and_its_cure_named(patient: Patient, name: str) -> None:
    plant, problem, cure = FAULTS[name]
    plant(patient)
    found = await examined()
    fitting = [finding for finding in found if problem in f"{finding.about} {finding.problem}"]
    assert fitting, found
    assert cure in fitting[0].cure
