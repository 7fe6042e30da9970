"""Hint plans that somebody is working at, kept on disk under an id that an address can name."""

from __future__ import annotations

import re
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from pursuhint.errors import InputError, one_line
from pursuhint.files import read_json, write_json
from pursuhint.formats import check_version
from pursuhint.home import drafts_folder
from pursuhint.plan import HintPlan

VERSION = 2
"""The first one kept no plan but that of the present choice."""
MOST = 200
"""Drafts that are kept; the ones that were not written for longest go first."""

ID = re.compile(r"[0-9a-f]{12}")


class Grouping(BaseModel):
    """How the layers are grouped.

    Attributes:
        metric, method, clusters: of the clustering.
        samples: how many of the probe images count; None for all.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    metric: str
    method: str
    clusters: int
    samples: int | None = None


class Waiting(Grouping):
    """A plan that was changed by hand under another grouping than the present one, and waits there."""

    plan: HintPlan


class Draft(Grouping):
    """A choice of hint points in the making.

    Attributes:
        teacher: hash of the weights of the teacher that it is for.
        plan: what was changed by hand or opened from a file; None for the automatic plan.
        waiting: the changed plans of other groupings.
    """

    version: Literal[1, 2] = VERSION
    teacher: str
    plan: HintPlan | None = None
    waiting: tuple[Waiting, ...] = ()

    def check_teacher(self, teacher_hash: str) -> None:
        """Raise InputError when the draft was made for other weights than these."""
        if self.teacher != teacher_hash:
            raise InputError(
                f"this draft was made for another teacher: expected weights {self.teacher}, found "
                f"{teacher_hash}; open that teacher, or go on with the automatic plan"
            )
        for plan in filter(None, (self.plan, *(one.plan for one in self.waiting))):
            plan.check_teacher(teacher_hash)


def new_id() -> str:
    """Return an id that nobody has and nobody guesses: 12 hexadecimal digits.

    Example:
        >>> len(new_id()), new_id() == new_id()
        (12, False)
    """
    return secrets.token_hex(6)


def save_draft(identity: str, draft: Draft) -> None:
    """Write a draft, whole or not at all, and forget the oldest beyond ``MOST``.

    Raises:
        InputError: an id of another form.
        StorageError: the file cannot be written.
    """
    path = _path(identity)
    write_json(path, draft.model_dump(mode="json"))
    with suppress(OSError):  # another visitor may be forgetting the same ones
        kept = sorted(path.parent.glob("*.json"), key=lambda file: file.stat().st_mtime_ns, reverse=True)
        for old in kept[MOST:]:
            old.unlink(missing_ok=True)


def load_draft(identity: str) -> Draft:
    """Read a draft.

    Raises:
        InputError: an id of another form, no draft of that id, a damaged one, or one of a newer program.
    """
    path = _path(identity)
    if not path.is_file():
        raise InputError(
            f"there is no draft `{identity}` here: the {MOST} latest are kept; go on with the automatic "
            "plan, or open the plan from a file"
        )
    content = read_json(path)
    check_version(content, VERSION, "a draft", source=str(path))
    try:
        return Draft.model_validate(content).model_copy(update={"version": VERSION})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "content"
        raise InputError(
            f"the draft `{identity}` is damaged: `{one_line(place)}`: {one_line(first['msg'])}; go on with "
            "the automatic plan"
        ) from None


def _path(identity: str) -> Path:
    if not ID.fullmatch(identity):
        raise InputError(
            f"the id of a draft has 12 hexadecimal digits: found `{identity[:40]}`; check the address"
        )
    return drafts_folder() / f"{identity}.json"
