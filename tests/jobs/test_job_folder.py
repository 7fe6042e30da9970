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

from pursuhint.errors import InputError, PursuhintError, StorageError
from pursuhint.jobs import JobFolder, Journal, stopping
from pursuhint.jobs.folder import RESERVED
from pursuhint.jobs.processes import identity
from pursuhint.jobs.stopping import stop, stop_soon

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
    job.set_state(state, **identity())
    assert job.last_state()["state"] == state
    ended = subprocess.Popen(["true"])
    gone = identity(ended.pid)
    ended.wait()
    job.journal.append("state", state=state, **gone)
    found = job.last_state()
    assert found["state"] == "lost"
    assert found["reason"] == f"its process ended without a word while {state}; see the log, then resume"


def test_a_number_that_another_process_has_now_does_not_count(job: JobFolder):
    job.set_state("running", **identity() | {"born": 0.0, "ticks": 1})
    assert job.last_state()["state"] == "lost"


def test_a_job_that_waits_for_its_process_lives_as_long_as_whoever_asked_for_it(job: JobFolder):
    job.set_state("queued", asked_by=identity())
    assert job.is_live()
    job.set_state("queued", asked_by=identity() | {"ticks": 1, "born": 1.0})
    assert job.last_state()["state"] == "lost"


def test_a_request_to_stop_that_came_too_late_changes_nothing(job: JobFolder):
    job.set_state("running", **identity())
    job.set_state("finished")
    assert not job.ask_to_stop()
    assert job.last_state()["state"] == "finished"
    with pytest.raises(PursuhintError, match="`job` is finished and cannot become stopping; from there it"):
        job.set_state("stopping", **identity())
    job.set_state("running", **identity())
    assert job.last_state()["state"] == "running"


def test_the_journal_names_every_transition_with_time_and_reason(job: JobFolder):
    """A worker that was lost is written down as such by whoever starts the job again."""
    ended = subprocess.Popen(["true"])
    gone = identity(ended.pid)
    ended.wait()
    job.set_state("running", **gone)
    job.set_state("queued", reason="asked to start", asked_by=identity())
    with job.claim():
        job.ask_to_stop()
        job.set_state("stopped", reason="asked to stop")
    events, _ = job.journal.read()
    assert [event["transition"] for event in events] == [
        "begin", "lose", "ask", "begin", "ask to stop", "stop",
    ]  # fmt: skip
    assert events[1]["reason"] == "its process ended without a word while running; see the log, then resume"
    assert all(event["time"] > 0 for event in events)


def test_a_job_that_filled_the_disk_can_still_say_so(job: JobFolder, monkeypatch: pytest.MonkeyPatch):
    original = Journal.append

    def full(journal: Journal, kind: str, **fields: object) -> None:
        if (job.path / "reserve").exists():
            raise StorageError("No space left on device")
        original(journal, kind, **fields)

    with job.claim():
        assert (job.path / "reserve").stat().st_size == RESERVED
        monkeypatch.setattr(Journal, "append", full)
        job.set_state("failed", reason="cannot write the checkpoint")
    assert job.last_state()["reason"] == "cannot write the checkpoint"
    monkeypatch.setattr(Journal, "append", lambda *_, **__: (_ for _ in ()).throw(StorageError("full")))
    with pytest.raises(StorageError, match="full"):
        job.set_state("running", **identity())


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
    assert stop(job)["state"] == "stopped"


def test_a_stopped_job_starts_again(job: JobFolder):
    job.start(SLEEPER)
    wait_for(job, "running")
    assert stop(job)["state"] == "stopped"
    assert job.stop_asked()
    job.start(SLEEPER)
    wait_for(job, "running")
    assert not job.stop_asked()
    assert stop(job)["state"] == "stopped"


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
    assert stop(stubborn, grace=0.1)["state"] == "stopped"
    assert "s without an answer; it goes on from its newest checkpoint" in stubborn.last_state()["reason"]
    wait_until(lambda: not psutil.pid_exists(pid))


def test_a_worker_that_ignores_the_polite_signal_is_killed(
    tmp_path: Path, job: JobFolder, monkeypatch: pytest.MonkeyPatch
):
    sent: list[int] = []
    for name in ("kill", "killpg"):
        original = getattr(os, name)
        note = lambda pid, number, send=original: (sent.append(number), send(pid, number))  # noqa: E731
        monkeypatch.setattr(os, name, note)
    monkeypatch.setattr(stopping, "TERMINATED", 0.2)
    stubborn = JobFolder(tmp_path / "stubborn")
    stubborn.create({"stubborn": "term"})
    stubborn.start(SLEEPER)
    wait_for(stubborn, "running")
    assert stop(stubborn, grace=0.1)["state"] == "stopped"
    assert sent == [signal.SIGTERM, signal.SIGKILL]


def test_stopping_what_has_ended_changes_nothing(job: JobFolder):
    job.set_state("finished")
    assert stop(job)["state"] == "finished"
    assert states(job) == ["finished"]
    assert not job.stop_asked()


def test_a_process_that_does_more_than_the_job_is_asked_and_never_ended(job: JobFolder, monkeypatch):
    """Such as a notebook: this one here, which a signal would end."""
    for name in ("TERMINATED", "KILLED"):
        monkeypatch.setattr(stopping, name, 0.1)
    with job.claim():
        assert stop(job, grace=0.1)["state"] == "stopping"


def test_a_stop_that_nobody_waits_for_ends_what_does_not_listen(tmp_path: Path, job: JobFolder):
    """The app asks and goes on; a process of its own sends the signal after `ASKED` seconds."""
    stubborn = JobFolder(tmp_path / "stubborn")
    stubborn.create({"stubborn": True})
    pid = stubborn.start(SLEEPER)
    wait_for(stubborn, "running")
    began = time.monotonic()
    stop_soon(stubborn)
    stop_soon(stubborn)
    assert time.monotonic() - began < 2
    assert stubborn.last_state()["state"] == "stopping"
    wait_for(stubborn, "stopped")
    assert time.monotonic() - began < stopping.ASKED + stopping.TERMINATED + stopping.KILLED
    assert not psutil.pid_exists(pid)
    assert states(stubborn).count("stopping") == 1


def test_a_second_worker_is_refused(job: JobFolder):
    job.start(SLEEPER)
    wait_for(job, "running")
    with (
        pytest.raises(PursuhintError, match="another process already works on `job`; wait for it or stop it"),
        job.claim(),
    ):
        pass
    assert stop(job)["state"] == "stopped"


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
    assert stop(job)["state"] == "stopped"


def test_a_worker_that_starts_after_a_request_to_stop_says_so(job: JobFolder):
    job.set_state("queued", asked_by=identity())
    assert job.ask_to_stop()
    with job.claim():
        assert job.last_state()["state"] == "stopping"


def test_a_request_to_stop_from_before_is_forgotten(job: JobFolder):
    (job.path / "stop").touch()  # as a signal to a worker that had just ended leaves it
    with job.claim():
        assert job.last_state()["state"] == "running"


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path):
    (tmp_path / "file").write_text("")
    for act in (JobFolder.ask_to_stop, lambda job: job.start(SLEEPER)):
        with pytest.raises(StorageError, match="cannot write `.*start.lock`: Not a directory; make"):
            act(JobFolder(tmp_path / "file"))
