"""What the forms of the Teacher page refuse at once, in their words; a worker judges what only torch can."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from app.own_teacher import OwnTeacher
from pursuhint.allowed import typed_data, typed_path
from pursuhint.analysis import AnalysisSettings
from pursuhint.data import SPECS
from pursuhint.errors import InputError, unknown
from pursuhint.home import home
from pursuhint.models import model_names, parse_spec
from pursuhint.preprocess import parse_preprocess
from pursuhint.published import check_published

SLOW_SOURCES = ("torchvision", "timm")
"""Whose names come with packages that import torch."""
EXAMPLE = "/path/to/resnet56.th"


def problems(asked: AnalysisSettings) -> dict[str, str]:
    """Return why an analysis cannot begin: field -> reason, for each that must change, in their order.

    Example:
        >>> problems(AnalysisSettings(teacher="zoo:resnet57", weights=__file__))["Network"][:50]
        'unknown zoo model `resnet57`: did you mean `resnet'
    """
    return _refused(asked, CHECKS)


def training_problems(own: OwnTeacher) -> dict[str, str]:
    """Return why a training cannot begin: field -> reason, for each that must change, in their order.

    Example:
        >>> found = training_problems(OwnTeacher(network="zoo:resnet56", begin="published"))
        >>> found["Weights to begin with"].partition(",")[0]
        '`zoo:resnet56` has no published weights'
    """
    asked = AnalysisSettings(
        teacher=own.network.strip(),
        weights=own.weights.strip() or None,
        data=own.data.strip(),
        preprocess=own.preprocess.strip(),
    )
    checks = {"Data": _data, "Network": _untrained, "Preprocessing": _preprocessing}
    if own.begin == "file":
        checks["Weight file"] = _file
    elif own.begin == "published":
        checks["Weights to begin with"] = _published
    return _refused(asked, checks)


def _refused(
    asked: AnalysisSettings, checks: Mapping[str, Callable[[AnalysisSettings], None]]
) -> dict[str, str]:
    found = {}
    for field, check in checks.items():
        try:
            check(asked)
        except InputError as error:
            found[field] = str(error)
    return found


def resolved(asked: AnalysisSettings) -> AnalysisSettings:
    """Return the settings with every typed path as the file or folder that it stands for.

    Raises:
        InputError: one leads out of the folders that may be read.
    """
    weights = str(typed_path(asked.weights)) if asked.weights else None
    return asked.model_copy(update={"weights": weights, "data": typed_data(asked.data)})


def _untrained(asked: AnalysisSettings) -> None:
    _network(asked)
    if asked.teacher.removeprefix("builtin:") in model_names("builtin"):
        raise InputError(
            f"`{asked.teacher}` is trained already; name an architecture, such as `zoo:resnet56`"
        )


def _published(asked: AnalysisSettings) -> None:
    check_published(asked.teacher)


def _network(asked: AnalysisSettings) -> None:
    if not asked.teacher:
        raise InputError("the field is empty; name a network, such as `zoo:resnet56`")
    if not _may_be_slow(asked.teacher):
        parse_spec(asked.teacher)


def _may_be_slow(name: str) -> bool:
    """Say whether looking a network up imports torch; a name without a source may be torchvision's, too."""
    source, colon, _ = name.partition(":")
    if colon:
        return source in SLOW_SOURCES
    return name.partition("?")[0] not in (*model_names("zoo"), *model_names("builtin"))


def _checkpoint(asked: AnalysisSettings) -> None:
    if asked.teacher.removeprefix("builtin:") in model_names("builtin"):
        if asked.weights:
            raise InputError(f"`{asked.teacher}` brings its own weights; leave the field empty")
        return
    _file(asked)


def _file(asked: AnalysisSettings) -> None:
    if not asked.weights:
        raise InputError(f"the field is empty; name the file of the trained weights, such as `{EXAMPLE}`")
    path = typed_path(asked.weights)
    if path.is_dir():
        raise InputError(f"`{path}` is a folder; name the weight file in it")
    if not path.is_file():
        raise InputError(f"no such file: `{path}`; check the path on the machine that runs the app")


def _data(asked: AnalysisSettings) -> None:
    kind, _, place = asked.data.partition(":")
    if kind not in {spec.partition(":")[0].removesuffix("[") for spec in SPECS}:
        raise unknown("data set", asked.data, SPECS)
    if kind == "folder" and not place:
        raise InputError("`folder` needs a path; write `folder:/path/to/images`")
    if place or kind.startswith("cifar"):
        path = typed_path(place) if place else home() / "data"
        if not path.exists():
            raise InputError(f"no such folder: `{path}`; write where it is, as in `{kind}:/path/to/data`")


def _preprocessing(asked: AnalysisSettings) -> None:
    if asked.preprocess != "auto":
        parse_preprocess(asked.preprocess)


CHECKS: dict[str, Callable[[AnalysisSettings], None]] = {
    "Network": _network,
    "Checkpoint": _checkpoint,
    "Data": _data,
    "Preprocessing": _preprocessing,
}
"""Label of a field -> what refuses it."""
