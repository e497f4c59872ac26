"""The machine: the home, its disk, secrets that others can read, libraries, the timetable."""

import os
import re
import shutil
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from deploy.doctor.finding import Finding
from store.errors import BadInput
from store.settings import Settings
from trainer.schedule import Timetable

FREE_BYTES = 2 * 1024**3
"""Room for a night: its dataset, checkpoints and adapter."""

ROOT = Path(__file__).parents[2]
REQUIREMENT = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?>=([0-9][0-9.]*)")
SECRETS = {"slack_bot_token", "slack_app_token", "slack_signing_secret", "api_key", "database_url"}


def home(settings: Settings) -> Iterator[Finding]:
    """Everything the product writes is below the home."""
    place = settings.home.resolve()
    existing = next(one for one in (place, *place.parents) if one.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK):
        cure = "Give it to the user who runs Nightschool, or set NIGHTSCHOOL_HOME to a folder of theirs."
        yield Finding("home", f"{place} cannot be written.", cure)


def disk(settings: Settings) -> Iterator[Finding]:
    """A night needs room."""
    place = settings.home.resolve()
    free = shutil.disk_usage(next(one for one in (place, *place.parents) if one.is_dir())).free
    if free < FREE_BYTES:
        words = f"Only {free // 1024**2} MB are free on the disk of {place}."
        cure = f"Free {FREE_BYTES // 1024**2} MB: old datasets and reports in {settings.artifacts} may go."
        yield Finding("disk", words, cure)


def tokens_in_the_open(settings: Settings) -> Iterator[Finding]:
    """A file with secrets in it is for its owner alone."""
    del settings
    file = Path(os.environ.get("NIGHTSCHOOL_CONFIG", "nightschool.toml"))
    if not file.is_file() or not file.stat().st_mode & 0o077:
        return
    chosen = tomllib.loads(file.read_text())
    held = {*chosen, *chosen.get("serving", {})}
    if found := sorted(held & SECRETS):
        words = f"{file} holds {', '.join(found)}, and other users of this machine can read it."
        yield Finding("secrets", words, f"chmod 600 {file}, or put them into the environment.")


def libraries(settings: Settings) -> Iterator[Finding]:
    """What is installed is what the product was tested with."""
    del settings
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for requirement in project["dependencies"]:
        found = REQUIREMENT.match(requirement)
        if found is None:
            continue
        name, least = found.groups()
        try:
            installed = version(name)
        except PackageNotFoundError:
            yield Finding("libraries", f"{name} is not installed.", "Run `sh deploy/setup.sh`.")
            continue
        if _numbers(installed) < _numbers(least):
            words = f"{name} {installed} is older than {least}, the oldest that is known to work."
            yield Finding("libraries", words, "Run `sh deploy/setup.sh`.")


def timetable(settings: Settings) -> Iterator[Finding]:
    """The night has a time that exists."""
    try:
        Timetable(settings.night)
    except BadInput as error:
        yield Finding("night", str(error), "Set both to what exists; the night does not run until then.")


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text.split("+")[0])[:3])
