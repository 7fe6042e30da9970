"""Short questions about students, answered by a process of its own and kept.

``python -m pursuhint.probe QUESTION`` prints the answer as JSON. A question is JSON too: what is asked for, a
key of ``ANSWERS``, then the arguments.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from pursuhint.data import load_data
from pursuhint.errors import InputError
from pursuhint.files import read_json, write_json
from pursuhint.home import home
from pursuhint.jobs import answer, ask
from pursuhint.models import new_network
from pursuhint.students import (
    Proposal,
    StudentCard,
    Target,
    describe_student,
    measure_latency,
    propose_students,
)
from pursuhint.students.known import smaller_students

TIMEOUT = 120
VERSION = 4
"""Part of the key of a kept answer; raised when answers change, so that older ones are asked for again."""


def suggest_students(teacher_spec: str, classes: int, image_shape: tuple[int, int, int]) -> list[StudentCard]:
    """Describe the proposed students, the nearest first, then known smaller ones, the largest first.

    Args:
        teacher_spec: name of the teacher; one whose family has nothing smaller gets no proposals.
        classes: number of outputs.
        image_shape: channels, height, width.
    """
    proposals: tuple[Proposal, ...] = ()
    with suppress(InputError):
        proposals = propose_students(teacher_spec, classes, image_shape)
    teacher = describe_student(teacher_spec, classes, image_shape)
    proposed = [describe_student(one.spec, classes, image_shape) for one in proposals]
    smaller = smaller_students(teacher, classes, image_shape)
    return list(dict.fromkeys([*proposed, *smaller]))


def ask_student(
    spec: str, classes: int, image_shape: tuple[int, int, int], guided: tuple[str, ...] = ()
) -> StudentCard:
    """Describe a student from a process that need not import torch; the answer is kept on disk.

    Args:
        spec: see `pursuhint.students.describe_student`, as for the others.
        classes: number of outputs.
        image_shape: channels, height, width.
        guided: layers that are listed too where they lie inside of candidate layers.

    Raises:
        InputError: the name is unknown or the network refuses such images; PursuhintError: no answer came.
    """
    question = ["student", spec, classes, list(image_shape), *([list(guided)] if guided else [])]
    return StudentCard.from_dict(_asked(question, what=f"describing `{spec}`"))


def ask_proposals(
    teacher_spec: str, classes: int, image_shape: tuple[int, int, int], target: Target
) -> tuple[StudentCard, ...]:
    """Propose students from a process that need not import torch; the answer is kept on disk.

    Returns:
        The cards of `pursuhint.students.propose_students`, the nearest to the target first.

    Raises:
        InputError: the family has nothing smaller; PursuhintError: no answer came.
    """
    question = ["proposals", teacher_spec, classes, list(image_shape), target.compression, target.by]
    found = _asked(question, what=f"looking for students of `{teacher_spec}`")
    return tuple(StudentCard.from_dict(one) for one in found)


def ask_latencies(specs: Sequence[str], classes: int, image_shape: tuple[int, int, int]) -> tuple[float, ...]:
    """Measure networks side by side in a process of its own; see `pursuhint.students.measure_latency`.

    Returns:
        Seconds for one image on one CPU thread, network by network. Measured anew at every call.

    Raises:
        InputError: a name is unknown; PursuhintError: no answer came.
    """
    question = json.dumps(["latencies", list(specs), classes, list(image_shape)])
    return tuple(json.loads(ask("pursuhint.probe", question, what="measuring latency", timeout=TIMEOUT)))


def ask_training_images(data: str, data_id: str) -> int:
    """Count the images that a run on a data set trains on; the answer is kept on disk.

    Args:
        data: spec of the data set.
        data_id: hash of its content: other images are another question.

    Raises:
        InputError: the data cannot be loaded; PursuhintError: no answer came.
    """
    return _asked(["training images", data, data_id], what=f"counting the images of `{data}`")


def _asked(question: list[Any], *, what: str) -> Any:
    key = hashlib.sha256(json.dumps([VERSION, *question]).encode()).hexdigest()[:16]
    kept = home() / "students" / f"{key}.json"
    if kept.is_file():
        return read_json(kept)
    found = json.loads(ask("pursuhint.probe", json.dumps(question), what=what, timeout=TIMEOUT))
    write_json(kept, found)
    return found


def _student(spec: str, classes: int, image_shape: list[int], guided: Sequence[str] = ()) -> Any:
    return describe_student(spec, classes, tuple(image_shape), tuple(guided)).as_dict()


def _proposals(teacher_spec: str, classes: int, image_shape: list[int], compression: float, by: str) -> Any:
    shape = tuple(image_shape)
    found = propose_students(teacher_spec, classes, shape, compression=compression, by=by)
    return [describe_student(one.spec, classes, shape).as_dict() for one in found]


def _latencies(specs: list[str], classes: int, image_shape: list[int]) -> Any:
    networks = [new_network(spec, classes=classes)[1] for spec in specs]
    return measure_latency(networks, tuple(image_shape))


def _training_images(data: str, data_id: str) -> Any:
    return len(load_data(data).train)


ANSWERS: dict[str, Callable[..., Any]] = {
    "student": _student,
    "proposals": _proposals,
    "latencies": _latencies,
    "training images": _training_images,
}


def main() -> int:
    """Answer the question on the command line."""
    kind, *arguments = json.loads(sys.argv[1])
    return answer(lambda: print(json.dumps(ANSWERS[kind](*arguments))))


if __name__ == "__main__":
    sys.exit(main())
