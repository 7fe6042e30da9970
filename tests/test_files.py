"""Whole or absent: the disk really runs full here, on a file system of 64 kB or under a file size limit."""

from __future__ import annotations

import hashlib
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pursuhint.errors import InputError, PursuhintError
from pursuhint.files import copy_file, read_json, sha256_file, write_atomic, write_json

LARGE = b"x" * 200_000


@pytest.fixture
def full_disk():
    """Let every file of this process end at 64 kB, as a full disk would."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


@pytest.fixture
def small_disk(tmp_path: Path):
    """A file system of 64 kB; only root can mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip(f"cannot mount a small file system: {mounted.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_what_is_written_is_there_and_readable_for_all(tmp_path: Path):
    path = tmp_path / "new" / "folder" / "file"
    write_atomic(path, lambda file: file.write(b"hello") and None)
    assert path.read_bytes() == b"hello"
    assert path.stat().st_mode & 0o777 == 0o644
    assert os.listdir(path.parent) == ["file"]


def test_a_file_that_outgrows_its_limit_leaves_nothing(tmp_path: Path, full_disk):
    with pytest.raises(PursuhintError, match=r"cannot write `.*big`: File too large; free some space"):
        write_atomic(tmp_path / "big", lambda file: file.write(LARGE) and None)
    assert os.listdir(tmp_path) == []


def test_a_full_disk_leaves_nothing(small_disk: Path):
    with pytest.raises(PursuhintError, match="No space left on device; free some space or choose another"):
        write_atomic(small_disk / "big", lambda file: file.write(LARGE) and None)
    assert os.listdir(small_disk) == []


def test_a_failed_write_keeps_the_old_content(tmp_path: Path, full_disk):
    path = tmp_path / "kept.json"
    write_json(path, {"old": 1})
    with pytest.raises(PursuhintError, match="cannot write"):
        write_json(path, {"new": "x" * 200_000})
    assert read_json(path) == {"old": 1}
    assert os.listdir(tmp_path) == ["kept.json"]


def test_an_error_of_the_writer_passes_through_and_leaves_nothing(tmp_path: Path):
    def broken(file):
        file.write(b"half")
        raise InputError("the image is broken")

    with pytest.raises(InputError, match="the image is broken"):
        write_atomic(tmp_path / "file", broken)
    assert os.listdir(tmp_path) == []


def test_a_place_that_is_no_folder_is_said(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(PursuhintError, match="cannot write `.*file/below`"):
        write_json(tmp_path / "file" / "below", {})


def test_a_process_killed_while_writing_leaves_no_final_name(tmp_path: Path):
    script = (
        "import os, sys, pathlib; from pursuhint.files import write_atomic\n"
        "def half(file): file.write(b'half'); file.flush(); os.kill(os.getpid(), 9)\n"
        "write_atomic(pathlib.Path(sys.argv[1]), half)"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path / "final")], check=False)
    assert done.returncode == -9
    assert not (tmp_path / "final").exists()


def test_copies_are_equal_or_absent(tmp_path: Path, full_disk):
    (tmp_path / "small").write_bytes(b"small")
    copy_file(tmp_path / "small", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b"small"


def test_a_copy_that_does_not_fit_is_absent(tmp_path: Path, request: pytest.FixtureRequest):
    (tmp_path / "large").write_bytes(LARGE)
    request.getfixturevalue("full_disk")
    with pytest.raises(PursuhintError, match="File too large"):
        copy_file(tmp_path / "large", tmp_path / "copy")
    assert os.listdir(tmp_path) == ["large"]


def test_json_comes_back(tmp_path: Path):
    content = {"ä": [1, 2.5, None], "nested": {"a": True}}
    write_json(tmp_path / "a.json", content)
    assert read_json(tmp_path / "a.json") == content
    assert "ä" in (tmp_path / "a.json").read_text(encoding="utf-8")


def test_json_holds_no_nan(tmp_path: Path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", {"loss": float("nan")})
    assert not (tmp_path / "a.json").exists()


@pytest.mark.parametrize("content", [b'{"a": 1', b"\xff\xfe", b""])
def test_damaged_json_is_said(tmp_path: Path, content: bytes):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(InputError, match=r"a.json` must be JSON: .*; was it cut short or edited\?"):
        read_json(tmp_path / "a.json")


def test_missing_json_is_said(tmp_path: Path):
    with pytest.raises(InputError, match="no such file: `.*none.json`; check the path"):
        read_json(tmp_path / "none.json")


def test_a_folder_is_no_json(tmp_path: Path):
    with pytest.raises(InputError, match="cannot read `.*`: Is a directory; check the path"):
        read_json(tmp_path)


def test_sha256_is_that_of_the_bytes(tmp_path: Path):
    (tmp_path / "a").write_bytes(LARGE)
    assert sha256_file(tmp_path / "a") == hashlib.sha256(LARGE).hexdigest()
