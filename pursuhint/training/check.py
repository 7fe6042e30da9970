"""What can be refused before a run exists: names and files, without loading anything heavy."""

from __future__ import annotations

from pathlib import Path

from pursuhint.errors import InputError
from pursuhint.models import parse_spec
from pursuhint.published import DEFAULT, check_published
from pursuhint.ranks import process_count
from pursuhint.training.settings import RunSettings


def check_settings(settings: RunSettings, *, student_is_known: bool = False) -> None:
    """Check names and files of a run.

    Args:
        settings: of the run.
        student_is_known: its name was looked up before (`pursuhint.probe.ask_student`), so that a process
            without torch need not do it: torchvision's and timm's names come with their packages.

    Raises:
        InputError: the student is unknown or a teacher's name, a file is missing, a weight, pairs or a share
            is for something that is switched off, or several processes were started for what one has to do.
    """
    check_processes(settings, process_count())
    if settings.pairs and settings.hint_loss == "none":
        raise InputError("this run has no hint loss that pairs could guide; leave `--pair` out or choose one")
    if settings.mix == "none" and settings.mix_alpha != RunSettings.model_fields["mix_alpha"].default:
        raise InputError("nothing is blended in this run; leave `--mix-alpha` out or choose a `--mix`")
    source = settings.student.partition(":")[0] if student_is_known else parse_spec(settings.student).source
    if source == "builtin":
        raise InputError(
            f"`{settings.student}` is a trained teacher; choose a student such as `zoo:resnet20`"
        )
    published = settings.kind == "train" and settings.init == DEFAULT
    if published:
        check_published(settings.student)
    for label, path in (
        ("teacher's checkpoint", settings.teacher_weights),
        ("start checkpoint", None if published else settings.init),
    ):
        if path and not Path(path).is_file():
            raise InputError(f"the {label} `{path}` does not exist; check the path")
    kind, _, place = settings.data.partition(":")
    if kind == "folder" and not Path(place).expanduser().is_dir():
        raise InputError(f"no such folder: `{place}`; expected `{place}/train/<class>/*`")
    for term, loss in (("logit", settings.logit_loss), ("hint", settings.hint_loss)):
        weight = getattr(settings.weights, term)
        if loss != "none" and weight == 0:
            raise InputError(
                f"the {term} loss `{loss}` has weight 0; give `--weight-{term}` a value above 0 or set it "
                "to none"
            )


def check_processes(settings: RunSettings, count: int) -> None:
    """Check that a run can be trained by so many processes.

    Raises:
        InputError: targets cannot be kept by several: each would decide for itself whether they fit.
    """
    if settings.keep_targets and count > 1:
        raise InputError(f"one process can keep targets; found {count}; leave `--keep-targets` out")
