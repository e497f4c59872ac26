import os
import shutil
import signal
import socket
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from deploy import local
from store.errors import NightschoolError
from store.settings import Settings

ROOT = Path(__file__).parents[2]


def test_a_port_in_use_is_said_with_the_way_out(settings: Settings) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(NightschoolError, match=rf"Port {port} is in use.*NIGHTSCHOOL_PAGE_PORT={port + 1}"):
            local.run(settings.model_copy(update={"page_port": port}))


def test_a_full_disk_is_said_before_anything_is_started(settings: Settings, monkeypatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10, 9, 1024))
    with pytest.raises(NightschoolError, match="Only 0 MB are free"):
        local.run(settings)


def test_a_home_that_cannot_be_written_is_said(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(NightschoolError, match=r"cannot be written.*NIGHTSCHOOL_HOME"):
        local.run(settings.model_copy(update={"home": tmp_path / "file" / "home"}))


def test_a_second_start_in_the_same_home_names_the_first(settings: Settings) -> None:
    with (
        local._only_one(settings),
        pytest.raises(NightschoolError, match=rf"already running .*process {os.getpid()}"),
        local._only_one(settings),
    ):
        pass


def test_a_missing_model_is_said_in_a_sentence(settings: Settings) -> None:
    missing = settings.model_copy(update={"base_model": "/no/such/model", "page_port": 0})
    with pytest.raises(NightschoolError, match="/no/such/model"):
        local.run(missing)


def test_the_command_prints_one_sentence_and_no_traceback(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "nightschool", "run"],
        env={**os.environ, "NIGHTSCHOOL_HOME": str(tmp_path / "h"), "NIGHTSCHOOL_BASE_MODEL": "/no/such/model"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 1
    assert "/no/such/model" in ended.stderr
    assert "Traceback" not in ended.stderr + ended.stdout


def test_ctrl_c_while_starting_stops_in_peace(tmp_path: Path) -> None:
    home = tmp_path / "h"
    with subprocess.Popen(
        [sys.executable, "-m", "nightschool", "run"],
        env={
            **os.environ,
            "NIGHTSCHOOL_HOME": str(home),
            "NIGHTSCHOOL_PAGE_PORT": "0",
            "NIGHTSCHOOL_MODELS_FOLDER": str(ROOT / ".nightschool" / "models"),
            "NIGHTSCHOOL_SERVING__URLS": '["http://127.0.0.1:9"]',
        },
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as product:
        said = ""
        for line in product.stdout:
            said += line
            if "Local Slack workspace" in line:
                product.send_signal(signal.SIGINT)
        assert product.wait(timeout=30) == 0, said
    assert "Everything is stopped." in said
