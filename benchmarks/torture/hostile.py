"""Hostile input: files and paths that must cost little, run nothing and be refused in one line."""

from __future__ import annotations

import os
import pickle
import resource
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.torture import hostile_files
from benchmarks.torture.bench import Bench, Row, wait_for
from pursuhint.errors import InputError

SECONDS = 45.0
"""That reading a file may take; only what keeps the outline busy to its limit takes more than one."""
MEMORY = 1_500_000_000
"""Bytes that reading one may take on top of what a process with torch has."""
LONGEST = 1000
"""Characters of a refusal."""


def checkpoints(bench: Bench, tries: int) -> Row:
    """Damage each kind of weight file at random."""
    row = Row(
        "a damaged checkpoint is loaded or refused in one line, within bounds of time and memory",
        "safetensors and both kinds of torch files with bits flipped, bytes changed, cut, doubled or moved",
    )
    return _tried(bench, row, _damaged(bench, hostile_files.whole_checkpoints(), tries), _weights)


def code(bench: Bench, tries: int) -> Row:
    """Offer pickles that would run code; `tries` counts nothing, all are tried."""
    row = Row(
        "no code of a file is run",
        "pickles that call a shell, exec, open, ...: ten ways, every protocol, bare and as torch files",
    )
    trap = bench.folder / "trap"
    cases = list(hostile_files.with_code(trap))
    cases[0][1](bench.folder / "live")
    pickle.loads((bench.folder / "live").read_bytes())
    if not trap.exists():
        row.lost.append("the traps are not live: an ordinary unpickler does not spring them")
    trap.unlink(missing_ok=True)
    _tried(bench, row, cases, _weights, refused=True)
    if trap.exists():
        row.lost.append("code of a file was run")
    return row


def bombs(bench: Bench, tries: int) -> Row:
    """Offer small files that claim much; `tries` counts nothing, all are tried."""
    row = Row(
        "a file that claims more than it holds is refused in one line, within the same bounds",
        "zip bombs, terabytes declared, keys that take ages, dicts in themselves, links, pipes, odd names",
    )
    return _tried(bench, row, hostile_files.bombs().items(), _weights, refused=True)


def images(bench: Bench, tries: int) -> Row:
    """Damage images of every format, and offer what only has an image's name."""
    row = Row(
        "a damaged image, a bomb or no image is named and refused, or read; nothing of it is started",
        "seven formats damaged at random; images that declare gigapixels, PostScript, web pages, pickles",
    )
    _tried(bench, row, _damaged(bench, hostile_files.images(), tries), _image)
    odd = ((name, lambda path, c=c: path.write_bytes(c)) for name, c in hostile_files.image_bombs().items())
    return _tried(bench, row, odd, _image, refused=True)


def many_images(bench: Bench, tries: int) -> Row:
    """Load a folder of so many images, all of a class links to one file on disk."""
    row = Row(
        "a folder of 10^5 images is decoded in bounded memory, and opened at once the next time",
        "100,000 images in two classes, decoded, then opened again",
    )
    from pursuhint.data import load_data

    root, picture = bench.folder / "many", hostile_files.images()["png"]
    for part, count in (("train", tries * 9 // 20), ("test", tries // 20)):
        for name in ("a", "b"):
            (root / part / name).mkdir(parents=True)
            (first := root / part / name / "first.png").write_bytes(picture)
            for number in range(count - 1):
                os.link(first, root / part / name / f"{number:06d}.png")
    row.lost += _problems(lambda: load_data(f"folder:{root}") and None, seconds=600)
    began = time.monotonic()
    data = load_data(f"folder:{root}")
    if len(data.train) + len(data.validation) + len(data.test) != tries:
        row.lost.append(f"{tries:,} images became {len(data.train) + len(data.test):,}")
    if time.monotonic() - began > 20:
        row.lost.append(f"opening it again took {time.monotonic() - began:.0f} s")
    row.tries = 1
    return row


def plans(bench: Bench, tries: int) -> Row:
    """Offer plans and settings of runs with values that nobody expects."""
    row = Row(
        "a hint plan or the settings of a run are taken as they are or refused in one line",
        "both with values of every odd kind put in, and as damaged text",
    )
    from pursuhint.training.settings import make_settings

    plan = _plan().model_dump(mode="json")
    settings = bench.settings().model_dump(mode="json")

    def read(path: Path) -> None:
        from pursuhint.files import read_json
        from pursuhint.plan import HintPlan

        if path.name.endswith("plan"):
            loaded = HintPlan.from_text(path.read_bytes())
            if HintPlan.from_text(loaded.model_dump_json()) != loaded:
                raise AssertionError("a plan that was taken does not come back")
        else:
            content = read_json(path)
            if isinstance(content, dict):
                make_settings(**content).model_dump_json()

    for number in range(tries):
        kind, content = (("plan", plan), ("settings", settings))[number % 2]
        text = hostile_files.strange_json(content, bench.random)
        path = bench.folder / f"{number}-{kind}"
        path.write_bytes(text)
        row.tries += 1
        row.lost += [f"{path.name}: {text}" for text in _refusal(read, path)]
        path.unlink()
    return row


def paths(bench: Bench, tries: int) -> Row:
    """Type paths that lead out of the allowed folders in every way."""
    row = Row(
        "a path typed into the app never leaves the folders that may be read",
        "`..`, absolute paths, links to files and folders, links in folders, odd characters, long names",
    )
    from pursuhint.allowed import VARIABLE, typed_path

    with tempfile.TemporaryDirectory() as folder:  # the data folder, which may be read, is elsewhere
        inside, outside = Path(folder, "inside"), Path(folder, "outside")
        for made in (inside / "images" / "train" / "a", inside / "clean", outside):
            made.mkdir(parents=True)
        (outside / "w.pt").touch()
        for link in (inside / "link.pt", inside / "images" / "train" / "a" / "1.png"):
            link.symlink_to(outside / "w.pt")
        (inside / "folder").symlink_to(outside)
        (inside / "loop").symlink_to(inside / "loop")
        os.environ[VARIABLE] = str(inside)
        try:
            for text in _leading_out(inside, outside):
                row.tries += 1
                row.lost += [f"{text!r}: {found}" for found in _refusal(typed_path, text, refused=True)]
            for path in (inside / "clean", inside / "new.pt", inside / "other" / ".." / "w.pt"):
                row.tries += 1
                if typed_path(path) != path.resolve():
                    row.lost.append(f"{path} was not taken")
        finally:
            del os.environ[VARIABLE]
    return row


def _leading_out(inside: Path, outside: Path) -> list[str]:
    return [
        *(f"{inside}/{'../' * depth}outside/w.pt" for depth in range(1, 12)),
        *(f"{inside}/{name}" for name in ("link.pt", "folder", "folder/w.pt", "images", "folder/../w.pt")),
        *(f"{inside}\0", f"{inside}/\nx", f"{inside}/{'n' * 300}", f"{inside}/{'n/' * 3000}", "\ud800"),
        *(str(outside), "/", "/etc/passwd", "/proc/self/environ", "~nobody-at-all/w", f"{inside}-beside"),
        *("../" * 40 + "etc/passwd", "file:///etc/passwd", f"{inside}/../inside-not/w.pt", ""),
    ]


def _plan():
    from pursuhint.plan import HintPlan, TeacherRef

    teacher = TeacherRef(spec="zoo:x", weights="/w.pt", hash="abc", classes=10, preprocess="digits")
    layers = tuple("abcdefgh")
    clusters = (layers[:3], layers[3:])
    return HintPlan(
        teacher=teacher,
        data="digits",
        data_id="0123",
        sample_ids=tuple(range(40)),
        metric="r2_cca",
        pooling="mean",
        method="pursuhint",
        layers=layers,
        clusters=clusters,
        centres=("a", "d"),
    ).toggled("c")


def _weights(path: Path) -> None:
    from pursuhint.checkpoints import read_weights

    read_weights(path)


def _image(path: Path) -> None:
    from pursuhint.data.decoding import fit

    fit(path, (20, 24))


def _damaged(
    bench: Bench, whole: Mapping[str, bytes], tries: int
) -> Iterator[tuple[str, hostile_files.Write]]:
    """Yield files of every kind in turn, each damaged at random, with what was done to it."""
    kinds = sorted(whole)
    for number in range(tries):
        kind = kinds[number % len(kinds)]
        way, content = hostile_files.mutated(whole[kind], bench.random)
        yield f"{kind}, {way}, number {number}", lambda path, c=content: path.write_bytes(c)


def _tried(
    bench: Bench,
    row: Row,
    cases: Iterable[tuple[str, hostile_files.Write]],
    read: Callable[[Path], None],
    *,
    refused: bool = False,
) -> Row:
    """Read each file in a process of its own; those that must be refused count as lost when they are read."""
    path = bench.folder / "given"
    for name, write in cases:
        write(path)
        row.tries += 1
        row.lost += [f"{name}: {text}" for text in _problems(lambda: read(path), refused=refused)]
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    return row


def _problems(work: Callable[[], None], *, refused: bool = False, seconds: float = SECONDS) -> list[str]:
    """Do something in a copy of this process and return what does not hold of how it went."""
    out, into = os.pipe()
    began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    pid = os.fork()
    if not pid:
        found = "it was read"
        try:
            found = "; ".join(_refusal(lambda _: work(), Path(), refused=refused))
            used = max(
                resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
            )
            if used * 1024 - before > MEMORY:
                found += f"; {used * 1024 - before:,} bytes more memory"
        finally:
            os.write(into, found.encode(errors="replace")[:60_000])
            os._exit(0)
    os.close(into)
    status = wait_for(pid, seconds)
    with os.fdopen(out, "rb") as told:
        found = told.read().decode()
    if status:
        return [f"its process ended by {status} after {time.monotonic() - began:.0f} s"]
    return [found] if found else []


def _refusal(read: Callable[[Any], object], path: object, *, refused: bool = False) -> list[str]:
    """Return what is wrong with how a file is taken or refused."""
    try:
        read(path)
    except InputError as error:
        return _wrong_words(str(error))
    except BaseException as error:
        return [f"{type(error).__name__}: {error}"[:300]]
    return ["it was read"] if refused else []


def _wrong_words(message: str) -> list[str]:
    """Return what is wrong with a refusal: it has one line, of a length that can be read."""
    if not message.isprintable() or len(message) > LONGEST:
        return [f"{len(message):,} characters, starting {ascii(message[:100])}"]
    return []
