"""Jobs with real processes: `sleeper` waits until it is asked to stop, or does not listen."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from pursuhint.errors import InputError, PursuhintError
from pursuhint.jobs import JobFolder
from pursuhint.jobs.folder import SETTLE

SLEEPER = "tests.jobs.sleeper"


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[JobFolder]:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2]))
    folder = JobFolder(tmp_path / "job")
    folder.create({})
    yield folder
    state = folder.last_state()
    if folder.is_live() and state.get("pid") and state["pid"] != os.getpid():
        os.kill(state["pid"], signal.SIGKILL)
    wait_until(lambda: not folder.is_live() or folder.last_state().get("pid") == os.getpid())


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "waited for a minute"
        time.sleep(0.02)


def wait_for(job: JobFolder, state: str) -> None:
    wait_until(lambda: job.last_state()["state"] == state)


def states(job: JobFolder) -> list[str]:
    return [event["state"] for event in job.journal.read()[0] if event["kind"] == "state"]


def birth(pid: int) -> float:
    return psutil.Process(pid).create_time()


def test_a_folder_keeps_its_settings(job: JobFolder):
    assert job.settings() == {}
    assert job.id == "job"
    with pytest.raises(InputError, match="a job already exists in `.*job`; choose another name or delete it"):
        job.create({"other": 1})
    assert job.settings() == {}


def test_a_job_that_never_started_is_lost(job: JobFolder):
    assert job.last_state() == {"state": "lost", "reason": "the job never started", "time": 0.0, "pid": None}
    assert not job.is_live()


@pytest.mark.parametrize("state", ["stopped", "finished", "failed"])
def test_an_ended_state_needs_no_process(job: JobFolder, state: str):
    job.set_state(state, reason="because")
    assert (job.last_state()["state"], job.last_state()["reason"]) == (state, "because")


@pytest.mark.parametrize("state", ["queued", "running", "stopping"])
def test_a_live_state_needs_its_process(job: JobFolder, state: str):
    job.set_state(state, pid=os.getpid(), born=birth(os.getpid()))
    assert job.last_state()["state"] == state
    ended = subprocess.Popen(["true"])
    born = birth(ended.pid)
    ended.wait()
    job.set_state(state, pid=ended.pid, born=born)
    found = job.last_state()
    assert found["state"] == "lost"
    assert found["reason"] == f"its process ended without a word while {state}; see the log, then resume"


def test_a_number_that_another_process_has_now_does_not_count(job: JobFolder):
    job.set_state("running", pid=os.getpid(), born=birth(os.getpid()) - 100)
    assert job.last_state()["state"] == "lost"


def test_a_job_that_waits_for_its_process_is_live_for_a_moment(
    job: JobFolder, monkeypatch: pytest.MonkeyPatch
):
    job.set_state("queued")
    assert job.is_live()
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + SETTLE + 1)
    assert not job.is_live()


def test_a_request_to_stop_that_came_too_late_changes_nothing(job: JobFolder):
    job.set_state("running", pid=os.getpid(), born=birth(os.getpid()))
    job.set_state("finished")
    job.set_state("stopping", pid=os.getpid(), born=birth(os.getpid()))
    assert job.last_state()["state"] == "finished"
    job.set_state("running", pid=os.getpid(), born=birth(os.getpid()))
    assert job.last_state()["state"] == "running"


def test_a_worker_runs_in_a_session_of_its_own_until_it_is_asked_to_stop(job: JobFolder):
    pid = job.start(SLEEPER)
    wait_for(job, "running")
    assert job.last_state()["pid"] == pid
    assert os.getsid(pid) == pid
    job.ask_to_stop()
    job.ask_to_stop()
    wait_for(job, "stopped")
    assert states(job) == ["queued", "queued", "running", "stopping", "stopped"]
    wait_until(lambda: not psutil.pid_exists(pid))


@pytest.mark.parametrize("settings", [{"short": True}, {"stubborn": True}], ids=["finished", "killed"])
def test_a_worker_that_ended_is_no_zombie_though_nobody_asks_for_it(tmp_path: Path, job, settings):
    ended = JobFolder(tmp_path / "ended")
    ended.create(settings)
    pid = ended.start(SLEEPER)
    if "stubborn" in settings:
        wait_for(ended, "running")
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not psutil.pid_exists(pid))
    assert ended.last_state()["state"] == ("finished" if "short" in settings else "lost")


def test_starting_a_live_job_gives_the_same_process(job: JobFolder):
    pid = job.start(SLEEPER)
    assert job.start(SLEEPER) == pid
    wait_for(job, "running")
    assert job.start(SLEEPER) == pid
    assert states(job).count("running") == 1
    assert job.stop()["state"] == "stopped"


def test_a_stopped_job_starts_again(job: JobFolder):
    job.start(SLEEPER)
    wait_for(job, "running")
    assert job.stop()["state"] == "stopped"
    assert job.stop_asked()
    job.start(SLEEPER)
    wait_for(job, "running")
    assert not job.stop_asked()
    assert job.stop()["state"] == "stopped"


def test_a_killed_worker_is_lost(job: JobFolder):
    pid = job.start(SLEEPER)
    wait_for(job, "running")
    os.kill(pid, signal.SIGKILL)
    wait_for(job, "lost")
    assert "while running" in job.last_state()["reason"]


def test_a_worker_that_does_not_listen_is_ended(tmp_path: Path, job: JobFolder):
    stubborn = JobFolder(tmp_path / "stubborn")
    stubborn.create({"stubborn": True})
    pid = stubborn.start(SLEEPER)
    wait_for(stubborn, "running")
    assert stubborn.stop(grace=0.1)["state"] == "lost"
    wait_until(lambda: not psutil.pid_exists(pid))


def test_a_worker_that_ignores_the_polite_signal_is_killed(
    tmp_path: Path, job: JobFolder, monkeypatch: pytest.MonkeyPatch
):
    sent: list[int] = []
    original = os.kill
    monkeypatch.setattr(os, "kill", lambda pid, number: (sent.append(number), original(pid, number)))
    stubborn = JobFolder(tmp_path / "stubborn")
    stubborn.create({"stubborn": "term"})
    stubborn.start(SLEEPER)
    wait_for(stubborn, "running")
    assert stubborn.stop(grace=0.1)["state"] == "lost"
    assert sent == [signal.SIGTERM, signal.SIGKILL]


def test_stopping_what_has_ended_changes_nothing(job: JobFolder):
    job.set_state("finished")
    assert job.stop()["state"] == "finished"
    assert states(job) == ["finished"]
    assert not job.stop_asked()


def test_a_second_worker_is_refused(job: JobFolder):
    job.start(SLEEPER)
    wait_for(job, "running")
    with (
        pytest.raises(PursuhintError, match="another process already works on `job`; wait for it or stop it"),
        job.claim(),
    ):
        pass
    assert job.stop()["state"] == "stopped"


def test_a_lock_that_outlives_its_process_for_a_moment_is_waited_for(job: JobFolder):
    job.set_state("finished")
    with open(job.path / "lock", "a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        release = threading.Timer(0.3, fcntl.flock, (held, fcntl.LOCK_UN))
        release.start()
        with job.claim():
            assert job.last_state()["state"] == "running"
        release.join()


def test_a_claim_ends_with_its_block(job: JobFolder):
    with job.claim():
        assert job.last_state()["state"] == "running"
        assert job.last_state()["pid"] == os.getpid()
    job.set_state("finished")
    with job.claim():
        pass
    assert states(job) == ["running", "finished", "running"]


def test_the_state_of_a_short_job_is_not_overwritten_by_its_starter(tmp_path: Path, job: JobFolder):
    short = JobFolder(tmp_path / "short")
    short.create({"short": True})
    short.start(SLEEPER)
    wait_for(short, "finished")
    assert states(short) == ["queued", "queued", "running", "finished"]


def test_a_worker_that_cannot_be_started_is_said(job: JobFolder, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object, **__: object) -> None:
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    with pytest.raises(
        PursuhintError, match="cannot start a worker: Cannot allocate memory; see `.*log.txt`"
    ):
        job.start(SLEEPER)
    assert job.last_state()["state"] == "failed"
    assert job.last_state()["reason"] == "no worker could be started: Cannot allocate memory"


def test_a_worker_prints_into_the_log(job: JobFolder):
    job.start("tests.jobs.no_such_module")
    wait_for(job, "lost")
    assert "no_such_module" in job.log.read_text()


def test_an_unforeseen_error_is_recorded_with_its_traceback(job: JobFolder):
    try:
        raise KeyError("layer9\nmore")
    except KeyError as error:
        raised = job.fail(error)
    assert str(raised) == f"`job` failed: 'layer9\\nmore'; see `{job.log}`"
    assert job.last_state()["state"] == "failed"
    assert "Traceback" in job.log.read_text()
    assert "test_an_unforeseen_error" in job.log.read_text()


def test_the_number_of_threads_reaches_the_worker(job: JobFolder, monkeypatch: pytest.MonkeyPatch):
    given: dict[str, str] = {}
    original = subprocess.Popen

    def note(*arguments, env, **options):
        given.update(env)
        return original(*arguments, env=env, **options)

    monkeypatch.setattr(subprocess, "Popen", note)
    job.start(SLEEPER, threads=3)
    assert given["OMP_NUM_THREADS"] == "3"
    wait_for(job, "running")
    assert job.stop()["state"] == "stopped"


def test_a_worker_that_starts_after_a_request_to_stop_says_so(job: JobFolder):
    (job.path / "stop").touch()
    with job.claim():
        assert job.last_state()["state"] == "stopping"


def test_a_job_of_this_process_is_asked_and_never_ended(tmp_path):
    job = JobFolder(tmp_path / "job")
    job.create({})
    with job.claim():
        assert job.stop(grace=0.1)["state"] == "stopping"  # and these tests go on
    assert job.stop_asked()
