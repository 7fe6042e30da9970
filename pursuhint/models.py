"""Networks by name: the CIFAR zoo, torchvision, timm and the teachers that ship with the project.

Nothing is downloaded: a network is new, or its weights come from a local file. torch is imported only to
build, so that reading a name costs nothing.
"""

from __future__ import annotations

import importlib
import importlib.util
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal

from pursuhint.errors import InputError, one_line, unknown
from pursuhint.files import read_json
from pursuhint.preprocess import Preprocess, parse_preprocess
from pursuhint.zoo import ZOO, build_zoo, parse_zoo_name

if TYPE_CHECKING:
    from torch import Tensor, nn

    from pursuhint.checkpoints import LoadReport

ASSETS = Path(__file__).parents[1] / "assets"
Source = Literal["zoo", "torchvision", "timm", "builtin"]
SOURCES: tuple[Source, ...] = ("zoo", "torchvision", "timm", "builtin")
_AUXILIARY = {"googlenet": ("aux1", "aux2"), "inception_v3": ("AuxLogits",)}
"""Torchvision's networks with heads for training only; both spend seconds on random weights, too."""


@dataclass(frozen=True)
class ModelSpec:
    """What a model's name says.

    Attributes:
        source: where the architecture comes from.
        name: the name there, without options.
        options: as written, zoo only, such as ``{"width": "0.5"}``.
    """

    source: Source
    name: str
    options: Mapping[str, str]

    def __str__(self) -> str:
        tail = "&".join(f"{key}={value}" for key, value in self.options.items())
        return f"{self.source}:{self.name}" + (f"?{tail}" if tail else "")


@dataclass(frozen=True)
class BuiltModel:
    """A network ready for use, in evaluation mode.

    Attributes:
        model: the network.
        spec: its name in full; building this name again gives the same architecture.
        classes: number of outputs.
        parameters: number of trainable values.
        hash: identity of the weights, see `pursuhint.checkpoints.hash_weights`; with those of a checkpoint's
            auxiliary heads, which the network is left without.
        report: how the weights were fitted; None for a new network.
        preprocess: what the weights expect, where their origin says so (torchvision, timm, builtin).
    """

    model: nn.Module
    spec: str
    classes: int
    parameters: int
    hash: str
    report: LoadReport | None
    preprocess: Preprocess | None


def parse_spec(text: str) -> ModelSpec:
    """Read a model's name.

    Args:
        text: ``zoo:resnet56?width=0.5``, ``torchvision:resnet18``, ``timm:NAME`` or
            ``builtin:digits-resnet56``. A name without a source is looked up in that order.

    Returns:
        The source, the name and the options.

    Raises:
        InputError: unknown source or name (with the nearest match), or options that cannot be used.

    Example:
        >>> parse_spec("resnet56?width=0.5")
        ModelSpec(source='zoo', name='resnet56', options={'width': '0.5'})
    """
    source, colon, rest = text.strip().partition(":")
    if not colon:
        source, rest = _look_up(source.partition("?")[0]), source
    elif source not in SOURCES:
        raise unknown("model source", source, SOURCES)
    name, _, tail = rest.partition("?")
    # A timm name may end in the tag of its weights, as in `resnet18.a1_in1k`.
    known = model_names(source)
    if (name.partition(".")[0] if source == "timm" else name) not in known:
        raise unknown(f"{source} model", name, known)
    if source == "zoo":
        parse_zoo_name(rest)
    elif tail:
        raise InputError(
            f"only zoo models take options such as `?width=0.5`, found `{one_line(text)}`; leave them out"
        )
    return ModelSpec(source, name, dict(option.split("=") for option in tail.split("&") if option))


def model_names(source: str) -> tuple[str, ...]:
    """Return the names a source knows (classification networks only).

    Args:
        source: one of `SOURCES`; ``torchvision`` and ``timm`` import their packages, which takes seconds.

    Raises:
        InputError: timm is asked for and not installed.

    Example:
        >>> model_names("zoo")[:3]
        ('resnet8', 'resnet14', 'resnet20')
    """
    if source == "zoo":
        return tuple(ZOO)
    if source == "torchvision":
        import torchvision

        return tuple(torchvision.models.list_models(module=torchvision.models))
    if source == "timm":
        return tuple(_timm().list_models())
    if source == "builtin":
        return tuple(sorted(card.stem for card in (ASSETS / "teachers").glob("*.json")))
    raise unknown("model source", source, SOURCES)


def build_model(
    spec: str | ModelSpec, *, classes: int | None = None, weights: Path | None = None
) -> BuiltModel:
    """Build a network and load its weights.

    Args:
        spec: see `parse_spec`.
        classes: number of outputs; None takes the checkpoint's, else 10 for the zoo and 1,000 for the others.
        weights: a local checkpoint, see `pursuhint.checkpoints.read_weights`; not for ``builtin``, which has
            its own. For a zoo ResNet named without a variant the checkpoint's keys decide between the two.

    Returns:
        The network in evaluation mode with what is known about it.

    Raises:
        InputError: unknown name, timm not installed, unreadable checkpoint, or one of another model or number
            of classes.

    Example:
        >>> built = build_model("zoo:resnet20", classes=10)
        >>> built.spec, built.parameters, built.report
        ('zoo:resnet20', 269722, None)
    """
    wanted = spec if isinstance(spec, ModelSpec) else parse_spec(spec)
    if wanted.source == "builtin":
        return _build_builtin(wanted, classes, weights)
    from pursuhint.checkpoints import fit_weights, hash_weights, infer_classes, read_weights

    tensors = read_weights(weights) if weights is not None else None
    if classes is None:
        classes = infer_classes(tensors or {}) or (10 if wanted.source == "zoo" else 1000)
    name, model, preprocess = _build_new(wanted, classes, tensors, weights)
    report = fit_weights(model, tensors, source=str(weights)) if tensors is not None else None
    identity = hash_weights(model.state_dict())
    if wanted.source == "torchvision":
        _drop_auxiliary(model, name)
    return BuiltModel(
        model=model.eval(),
        spec=f"{wanted.source}:{name}",
        classes=classes,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        hash=identity,
        report=report,
        preprocess=preprocess if report else None,
    )


def new_network(spec: str | ModelSpec, *, classes: int) -> tuple[str, nn.Module]:
    """Build the bare architecture; under ``torch.device("meta")`` it takes neither time nor memory.

    Args:
        spec: see `parse_spec`; of a ``builtin`` teacher the architecture, without its weights.
        classes: number of outputs.

    Returns:
        The name in full and the network in evaluation mode.

    Raises:
        InputError: unknown name, or timm is not installed.

    Example:
        >>> new_network("resnet20", classes=10)[0]
        'zoo:resnet20'
    """
    wanted = spec if isinstance(spec, ModelSpec) else parse_spec(spec)
    if wanted.source == "builtin":
        return str(wanted), new_network(_builtin_card(wanted)["model"], classes=classes)[1]
    name, model, _ = _build_new(wanted, classes, None, None)
    return f"{wanted.source}:{name}", model.eval()


def _build_new(
    wanted: ModelSpec, classes: int, tensors: Mapping[str, Tensor] | None, weights: Path | None
) -> tuple[str, nn.Module, Preprocess | None]:
    """Build a network that is not trained yet; the checkpoint that it is for may decide on details."""
    if wanted.source == "zoo":
        return *_build_zoo(wanted, classes, tensors), None
    if wanted.source == "torchvision":
        return wanted.name, *_build_torchvision(wanted.name, classes, tensors, weights)
    return wanted.name, *_build_timm(wanted.name, classes)


def _look_up(name: str) -> Source:
    """Find a bare name's source; timm goes last, for it takes seconds and shares no name with builtin."""
    known: list[str] = []
    for source in ("zoo", "builtin", "torchvision", "timm"):
        if source == "timm" and importlib.util.find_spec("timm") is None:
            break
        names = model_names(source)
        if name.partition(".")[0] in names:
            return source
        known += names
    raise unknown("model", name, known)


def _build_zoo(
    wanted: ModelSpec, classes: int, tensors: Mapping[str, Tensor] | None
) -> tuple[str, nn.Module]:
    from pursuhint.checkpoints import infer_variant

    parsed = parse_zoo_name(str(wanted).removeprefix("zoo:"))
    if tensors is not None and parsed.variant and "variant" not in wanted.options:
        parsed = replace(parsed, variant=infer_variant(tensors))
    return str(parsed), build_zoo(str(parsed), classes=classes)


def _build_torchvision(
    name: str, classes: int, tensors: Mapping[str, Tensor] | None, weights: Path | None
) -> tuple[nn.Module, Preprocess]:
    import torchvision

    options = {}
    if name in _AUXILIARY:  # a checkpoint is fitted with the heads that it has
        aux_logits = any(part in _AUXILIARY[name] for key in tensors or () for part in key.split("."))
        options = {"init_weights": weights is None, "aux_logits": aux_logits}
    model = torchvision.models.get_model(name, weights=None, num_classes=classes, **options)
    published = torchvision.models.get_model_weights(name)
    file = Path(weights).name if weights is not None else ""
    # The published files differ in their resize; the file's own name says which one it is.
    named = next((entry for entry in published if entry.url.endswith(f"/{file}")), None)
    origin = named or published.DEFAULT
    recipe = origin.transforms()
    # These were trained on -1 to 1; torchvision's networks bring ImageNet's scale there (`transform_input`).
    mean, std = ((0.5,) * 3, (0.5,) * 3) if named and name in _AUXILIARY else (recipe.mean, recipe.std)
    return model, Preprocess(
        name=f"torchvision {origin}",
        mean=tuple(mean),
        std=tuple(std),
        resize=recipe.resize_size[0],
        crop=recipe.crop_size[0],
        interpolation=recipe.interpolation.value,
    )


def _drop_auxiliary(model: nn.Module, name: str) -> None:
    """Take away the heads with which the output in train mode is no tensor; the logits stay as they are."""
    for head in _AUXILIARY.get(name, ()):
        setattr(model, head, None)
        model.aux_logits = False


def _build_timm(name: str, classes: int) -> tuple[nn.Module, Preprocess]:
    timm = _timm()
    try:
        model = timm.create_model(name, pretrained=False, num_classes=classes)
    except RuntimeError as error:
        raise InputError(f"timm cannot build `{name}`: {error}; check the part behind the dot") from error
    recipe = timm.data.resolve_model_data_config(model)
    crop = recipe["input_size"][-1]
    return model, Preprocess(
        name=f"timm {name}",
        mean=tuple(recipe["mean"]),
        std=tuple(recipe["std"]),
        resize=math.floor(crop / recipe["crop_pct"]),
        crop=crop,
        interpolation=recipe["interpolation"],
    )


def _build_builtin(wanted: ModelSpec, classes: int | None, weights: Path | None) -> BuiltModel:
    if weights is not None:
        raise InputError(
            f"`{wanted}` brings its own weights, found `{weights}` beside it; leave the weights out"
        )
    file = ASSETS / "teachers" / f"{wanted.name}.safetensors"
    card = _builtin_card(wanted)
    own = card["classes"] if isinstance(card["classes"], int) else len(card["classes"])
    if classes not in (None, own):
        raise InputError(
            f"`{wanted}` tells {own} classes apart, asked for {classes}; use it with its own data"
        )
    built = build_model(card["model"], classes=own, weights=file)
    report = replace(built.report, source=str(wanted))
    return replace(built, spec=str(wanted), report=report, preprocess=parse_preprocess(card["preprocess"]))


def _builtin_card(wanted: ModelSpec) -> dict[str, Any]:
    return read_json(ASSETS / "teachers" / f"{wanted.name}.json")


def _timm() -> ModuleType:
    try:
        return importlib.import_module("timm")
    except ModuleNotFoundError:
        raise InputError(
            "timm models need the package `timm`, which is not installed; `pip install timm`"
        ) from None
