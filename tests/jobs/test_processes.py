"""Who is who: the same number, another program; the same program, another clock."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from pursuhint.jobs import processes
from pursuhint.jobs.processes import identity, lives

linux = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux")


@pytest.fixture
def sleeper():
    process = subprocess.Popen(["sleep", "60"])
    yield process
    process.kill()
    process.wait()


def test_a_process_lives_until_it_ends(sleeper: subprocess.Popen):
    who = identity(sleeper.pid)
    assert lives(who)
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)  # ended and not collected: a zombie
    assert psutil.Process(sleeper.pid).status() == psutil.STATUS_ZOMBIE
    assert not lives(who)
    sleeper.wait()
    assert not lives(who)


def test_another_program_under_the_same_number_is_somebody_else():
    assert not lives(identity() | {"ticks": 1, "born": 1.0})


@linux
def test_after_a_restart_of_the_machine_nobody_of_before_lives():
    assert not lives(identity() | {"boot": "0b0d5a1e-0000-4000-8000-000000000000"})


@linux
def test_a_clock_that_was_set_does_not_end_anybody():
    """The birth by the wall clock moves with it; the ticks since the machine's start do not."""
    assert lives(identity() | {"born": psutil.Process().create_time() - 7200})


@linux
def test_a_program_may_be_called_anything(tmp_path: Path):
    odd = tmp_path / "a) Z 1 (b"
    odd.symlink_to("/bin/sleep")
    process = subprocess.Popen([str(odd), "60"])
    try:
        assert lives(identity(process.pid))
    finally:
        process.kill()
        process.wait()


def test_elsewhere_the_birth_tells(monkeypatch: pytest.MonkeyPatch, sleeper: subprocess.Popen):
    monkeypatch.setattr(processes, "BOOT_ID", Path("/no/such/file"))
    who = identity(sleeper.pid)
    assert set(who) == {"pid", "born"}
    assert lives(who)
    assert not lives(who | {"born": who["born"] - 100})
    sleeper.kill()
    sleeper.wait()
    assert not lives(who)


def test_identities_agree_between_processes():
    script = f"from pursuhint.jobs.processes import identity; print(identity({os.getpid()}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    told = eval(done.stdout)
    assert told["pid"] == os.getpid()
    assert lives(told)
