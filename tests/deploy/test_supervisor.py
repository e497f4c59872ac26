import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from deploy import supervisor as supervisor_module
from deploy.supervisor import MOST_QUICK_FAILURES, Child, Supervisor


def sleeper(tmp_path: Path, code: str = "import time; time.sleep(60)") -> Child:
    return Child("The sleeper", [sys.executable, "-c", code], tmp_path / "sleeper.log", stop_within_s=5)


def wait_until(condition, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def test_a_killed_child_is_named_with_its_signal_and_started_again(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(supervisor_module, "FIRST_PAUSE_S", 0.05)
    said: list[str] = []
    supervisor = Supervisor(said.append)
    child = supervisor.start(sleeper(tmp_path))
    first = child.process
    first.kill()
    first.wait()
    try:
        wait_until(lambda: not supervisor.check() and child.running)
        assert child.process.pid != first.pid
        assert any("The sleeper was killed by SIGKILL" in line for line in said)
    finally:
        supervisor.stop()


def test_a_child_that_keeps_dying_is_given_up_with_the_end_of_its_log(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(supervisor_module, "FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(supervisor_module, "LONGEST_PAUSE_S", 0.01)
    supervisor = Supervisor(lambda _: None)
    child = supervisor.start(sleeper(tmp_path, "raise SystemExit('the disk is full')"))
    given_up: list[Child] = []
    wait_until(lambda: bool(given_up.extend(supervisor.check()) or given_up), 30)
    assert given_up == [child]
    assert child.quick_failures == MOST_QUICK_FAILURES + 1
    assert "the disk is full" in child.log_tail()
    assert child.how_it_ended() == "ended with exit code 1"


def test_stop_leaves_no_process_behind_not_even_grandchildren(tmp_path) -> None:
    code = "import subprocess, time; p = subprocess.Popen(['sleep', '60']); print(p.pid, flush=True); time.sleep(60)"
    supervisor = Supervisor(lambda _: None)
    child = supervisor.start(sleeper(tmp_path, code))
    wait_until(lambda: child.log_tail().strip().isdigit())
    grandchild = int(child.log_tail())
    supervisor.stop()
    wait_until(lambda: not psutil.pid_exists(grandchild))
    assert not child.running


def test_a_child_deaf_to_sigterm_is_killed(tmp_path) -> None:
    code = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"
    )
    said: list[str] = []
    supervisor = Supervisor(said.append)
    child = supervisor.start(sleeper(tmp_path, code))
    child.stop_within_s = 0.3
    wait_until(lambda: "ready" in child.log_tail())
    supervisor.stop()
    assert child.process.returncode == -signal.SIGKILL
    assert "was killed" in said[-1]


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal exists on Linux only")
def test_children_end_when_the_supervisor_itself_is_killed(tmp_path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from deploy.supervisor import Child, Supervisor\n"
        "s = Supervisor(print); c = s.start(Child('x', ['sleep', '60'], Path(sys.argv[1])))\n"
        "print(c.process.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "x.log")],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    child = int(parent.stdout.readline())
    assert psutil.pid_exists(child)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    wait_until(lambda: not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE)
