"""What people call a run: its name and its tags, beside the settings and never in them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from pursuhint.errors import InputError
from pursuhint.files import read_json, write_json
from pursuhint.formats import check_version

FILE = "labels.json"
VERSION = 1
LONGEST_NAME, LONGEST_TAG, MOST_TAGS = 80, 30, 12


class RunLabels(BaseModel):
    """The words that a run can be given at any time.

    Attributes:
        name: shown in place of the one it was started with; empty for that one.
        tags: in the order in which they were given.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = VERSION
    name: str = ""
    tags: tuple[str, ...] = ()


def read_labels(run: Path) -> RunLabels:
    """Return the labels in a run's folder; a run that was never given any has none.

    Raises:
        InputError: the file was damaged, or a newer program wrote it.
    """
    path = run / FILE
    if not path.is_file():
        return RunLabels()
    content = read_json(path)
    check_version(content, VERSION, "labels of a run", source=str(path))
    try:
        return RunLabels.model_validate(content)
    except ValidationError:
        raise InputError(f"`{path}` must hold a name and tags; delete it and label the run again") from None


def write_labels(run: Path, *, name: str | None = None, tags: Iterable[str] | None = None) -> RunLabels:
    """Change the labels of a run, whole or not at all; its settings and journal are not touched.

    Args:
        run: its folder.
        name: None leaves it; empty goes back to the one it was started with.
        tags: None leaves them.

    Raises:
        InputError: the name or a tag is too long, or there are too many tags.
    """
    changed = {"name": check_name(name)} if name is not None else {}
    if tags is not None:
        changed["tags"] = check_tags(tags)
    labels = read_labels(run).model_copy(update=changed)
    write_json(run / FILE, labels.model_dump(mode="json"))
    return labels


def check_name(name: str) -> str:
    """Return a name on one line without space around it.

    Raises:
        InputError: it is too long.
    """
    name = " ".join(name.split())
    if len(name) > LONGEST_NAME:
        raise InputError(f"a run's name has at most {LONGEST_NAME} letters; found {len(name)}; shorten it")
    return name


def check_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Return tags without space around them, each once.

    Raises:
        InputError: one is too long, or there are too many.

    Example:
        >>> check_tags([" baseline", "seed  0", "baseline", ""])
        ('baseline', 'seed 0')
    """
    found = tuple(dict.fromkeys(filter(None, (" ".join(tag.split()) for tag in tags))))
    long = next((tag for tag in found if len(tag) > LONGEST_TAG), None)
    if long is not None:
        raise InputError(f"a tag has at most {LONGEST_TAG} letters; found `{long}`; shorten it")
    if len(found) > MOST_TAGS:
        raise InputError(f"a run has at most {MOST_TAGS} tags; found {len(found)}; leave some out")
    return found
