"""The doctor notices what is wrong, caused for real where that can be done, and says what to do."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections import namedtuple
from pathlib import Path

import psutil
import pytest

from pursuhint.disk_use import DiskUse, disk_use
from pursuhint.doctor import examination, examine, machine, work
from pursuhint.doctor.finding import Finding
from pursuhint.errors import StorageError
from pursuhint.home import home, runs_folder
from pursuhint.runs import RunFolder, create_run
from pursuhint.training.settings import make_settings

NOBODY = {"pid": 2**22 + 1, "born": 1.0}


@pytest.fixture
def new_run():
    """Make a run that nobody has started: ``new_run()``."""

    def make() -> RunFolder:
        return create_run(
            make_settings(kind="train", student="zoo:resnet8", data="digits", preprocess="digits")
        )

    return make


@pytest.fixture
def worker():
    """Start a process that looks like a worker on a folder: ``worker(path)``."""
    started = []

    def start(folder: Path) -> int:
        code = "import time; print(flush=True); time.sleep(60)"
        command = [sys.executable, "-c", code, "-m", "pursuhint.runs.worker", str(folder)]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE))
        started[-1].stdout.readline()
        return started[-1].pid

    yield start
    for process in started:
        process.kill()
        process.communicate()


def seen(found: Finding) -> tuple[str, str]:
    return found.level, found.found


def test_a_sound_machine_has_no_problem():
    findings = list(examine())
    assert [one.name for one in findings] == list(examination.LOOKS)
    assert not [one for one in findings if one.level == "problem"], findings
    assert all(one.advice for one in findings if one.level != "ok")


def test_a_look_that_fails_is_a_problem_and_the_others_are_taken(monkeypatch):
    def fail() -> Finding:
        raise StorageError("cannot write `x`")

    monkeypatch.setattr(examination, "LOOKS", {"one": fail, "two": lambda: Finding("two", "ok", "")})
    first, second = examine()
    assert seen(first) == ("problem", "could not be looked at: cannot write `x`") and second.level == "ok"


def test_a_package_that_is_missing_or_too_old_is_a_problem(monkeypatch):
    wanted = ["numpy>=1000", "no-such-package", "torch>=2", 'not-asked-for; extra == "gpu"']
    monkeypatch.setattr(machine, "requires", lambda _: wanted)
    found = machine.versions()
    assert found.level == "problem" and "not-asked-for" not in found.found
    assert "numpy is " in found.found and "not >=1000; no-such-package is missing" in found.found
    assert "make app" in found.advice


def test_a_gpu_that_torch_cannot_use_is_told_of(monkeypatch, tmp_path):
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: False)
    monkeypatch.setattr(machine, "ACCELERATORS", (tmp_path,))
    assert machine.devices().level == "warning" and "cannot use the GPU" in machine.devices().found
    monkeypatch.setattr(machine, "ACCELERATORS", ())
    assert seen(machine.devices())[0] == "ok" and "no GPU" in machine.devices().found


@pytest.mark.parametrize(("free", "level"), [(3e9, "ok"), (1e9, "warning"), (1e8, "problem")])
def test_little_memory_is_told_of(monkeypatch, free, level):
    memory = namedtuple("memory", "available total")(int(free), int(8e9))
    monkeypatch.setattr(machine.psutil, "virtual_memory", lambda: memory)
    found = machine.memory()
    assert found.level == level and "of 8.0 GB free" in found.found and bool(found.advice) == (level != "ok")


@pytest.mark.parametrize(("free", "level"), [(6e9, "ok"), (1e9, "warning"), (1e8, "problem")])
def test_a_full_disk_is_told_of(monkeypatch, free, level):
    monkeypatch.setattr(machine, "disk_use", lambda: DiskUse({"runs": 2_000_000}, int(free)))
    found = machine.disk()
    assert found.level == level and "runs 2.0 MB · " in found.found
    assert ("runs gc" in found.advice) == (level != "ok")


def test_a_data_folder_that_is_a_file_is_a_problem(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PURSUHINT_HOME", str(tmp_path / "file"))
    found = machine.write_access()
    assert found.level == "problem" and "PURSUHINT_HOME" in found.advice
    monkeypatch.setenv("PURSUHINT_HOME", str(tmp_path / "new" / "folder"))
    assert machine.write_access().level == "ok" and list((tmp_path / "new" / "folder").iterdir()) == []


def test_disk_use_is_the_sum_of_the_files(new_run):
    folder = new_run().path
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "deep" / "er" / "x").write_bytes(bytes(1000))
    (folder / "link").symlink_to("/dev/zero")
    expected = sum(path.lstat().st_size for path in runs_folder().rglob("*") if not path.is_dir())
    assert disk_use().bytes == {"runs": expected} and disk_use().total == expected
    assert disk_use().free == psutil.disk_usage(str(home())).free or disk_use().free > 0


def test_runs_that_died_or_cannot_be_read_are_named(new_run):
    assert seen(work.runs()) == ("ok", "0 runs")
    lost, broken, whole = new_run(), new_run(), new_run()
    lost.set_state("queued", **NOBODY)
    whole.set_state("queued")
    whole.set_state("failed", reason="x")
    (broken.path / "settings.json").write_text('{"version": 9}')
    found = work.runs()
    assert found.level == "warning" and found.found.startswith("3 runs; 1 cannot be read (")
    assert broken.id in found.found and lost.id in found.found and whole.id not in found.found
    assert "pursuhint runs resume RUN" in found.advice


def test_a_worker_that_nobody_knows_of_is_named(new_run, worker):
    known, unknown = new_run(), new_run()
    pid, orphan = worker(known.path), worker(unknown.path)
    known.set_state("queued", pid=pid, born=psutil.Process(pid).create_time())
    unknown.set_state("queued")
    unknown.set_state("failed", reason="x")
    gone = worker(runs_folder() / "deleted")
    worker(Path("/elsewhere/runs/x"))
    found = work.processes()
    assert found.level == "warning" and found.advice.endswith(f"`kill {orphan} {gone}`")
    assert f"2 orphaned ({orphan} {gone}), 1 at work" == found.found


def test_a_tracker_that_does_not_answer_is_told_of_within_moments(monkeypatch):
    monkeypatch.setattr(work, "find_spec", lambda name: object())
    monkeypatch.delenv(work.TRACKER_VARIABLE, raising=False)
    assert seen(work.tracker()) == ("ok", "none set")
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        monkeypatch.setenv(work.TRACKER_VARIABLE, address)
        began = time.monotonic()
        found = work.tracker()
        assert found.level == "warning" and "runs go on without it" in found.advice
        assert time.monotonic() - began < 2 * work.PATIENCE
        server.listen()
        assert work.tracker().level == "ok"
    monkeypatch.setenv(work.TRACKER_VARIABLE, "sqlite:////x.db")
    assert seen(work.tracker()) == ("ok", "`sqlite`: no server to ask")
    monkeypatch.setattr(work, "find_spec", lambda name: None)
    assert work.tracker().level == "warning" and "pip install" in work.tracker().advice


def test_what_gc_would_remove_is_told_of(new_run):
    run = new_run()
    assert work.left_behind().found == "nothing that nobody needs"
    (run.path / ".digest.json.abcd1234").write_bytes(bytes(2_000_000))
    assert work.left_behind().found == "2.0 MB that `pursuhint runs gc` removes"


def test_the_look_without_torch_is_quick(new_run):
    for _ in range(20):
        new_run()
    began = time.monotonic()
    for name, look in examination.LOOKS.items():
        if name != "devices":
            look()
    assert time.monotonic() - began < 3 * (1 + os.getloadavg()[0])
