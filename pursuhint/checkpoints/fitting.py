"""Fit a checkpoint to a model: all tensors or none, and when none, the likely reason."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from torch import Tensor, nn

from pursuhint.checkpoints.identity import COUNTER, infer_classes
from pursuhint.errors import InputError
from pursuhint.zoo.identify import identify

MOST_NAMED = 3

_HEADS = ("linear", "fc", "head", "classifier")
_RENAMES = (  # what other code bases call the same tensor
    *((rf"^{old}\.", f"{new}.") for old in _HEADS for new in _HEADS if old != new),
    (r"\.shortcut\.", ".downsample."),
    (r"(denselayer\d+\.(?:norm|conv))\.([12])\.", r"\1\2."),
)


@dataclass(frozen=True)
class LoadReport:
    """How a checkpoint was fitted to a model; everything that was not literally equal is named here.

    Attributes:
        source: where the weights came from.
        matched: tensors loaded.
        missing: model tensors the checkpoint lacks; only batch counters can be among them.
        unexpected: checkpoint tensors the model lacks; empty, because anything here is refused.
        prefix: what was stripped from every name, such as ``"module."``.
        renamed: name in the checkpoint -> name in the model, where other code bases use another word.
        notes: which entry of the file was taken, conversions of the number format.
    """

    source: str
    matched: int
    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    prefix: str = ""
    renamed: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        said = [f"{self.source}: all {self.matched} tensors loaded"]
        if self.prefix:
            said.append(f"prefix `{self.prefix}` stripped")
        if self.renamed:
            pairs = [f"`{old}` -> `{new}`" for old, new in self.renamed.items()]
            said.append(f"{len(pairs)} renamed ({_first(pairs)})")
        if self.missing:
            said.append(f"{len(self.missing)} batch counters absent (not read in evaluation)")
        return "; ".join([*said, *self.notes])


def fit_weights(model: nn.Module, weights: Mapping[str, Tensor], *, source: str) -> LoadReport:
    """Load weights into a model, all of them or none.

    A common prefix (``module.``, ``model.``, ``_orig_mod.``, any other) is stripped: the one under which most
    names match. Names that other code bases use for the same tensor are mapped (``fc`` and ``linear``,
    ``shortcut`` and ``downsample``). Batch counters may be absent; anything else that is missing, left over
    or of another shape leaves the model untouched.

    Args:
        model: receives the weights.
        weights: names and tensors, as `read_weights` returns them.
        source: where they came from, for messages.

    Returns:
        What was matched, stripped and renamed.

    Raises:
        InputError: the weights belong to another model; says how many tensors differ, names the first and
            gives the likely reason (number of classes, depth, architecture).

    Example:
        >>> model = nn.Sequential(nn.Linear(2, 2))
        >>> wrapped = {f"module.{name}": tensor for name, tensor in model.state_dict().items()}
        >>> print(fit_weights(model, wrapped, source="best.pth"))
        best.pth: all 2 tensors loaded; prefix `module.` stripped
    """
    expected = model.state_dict()
    match = _match(weights, expected)
    if match.missing or match.unexpected or match.reshaped:
        raise _misfit(model, match, source)
    model.load_state_dict(match.found, strict=False)
    notes = getattr(weights, "notes", ())
    converted = {
        str(tensor.dtype) for name, tensor in match.found.items() if tensor.dtype != expected[name].dtype
    }
    if converted:
        notes = (*notes, f"number format converted from {', '.join(sorted(converted))}")
    return LoadReport(source, len(match.found), match.counters, (), match.prefix, match.renamed, notes)


@dataclass(frozen=True)
class _Match:
    prefix: str
    renamed: dict[str, str]
    found: dict[str, Tensor]  # under the model's names where it has them
    counters: tuple[str, ...]  # batch counters that are absent
    missing: tuple[str, ...]  # anything else that is absent
    unexpected: tuple[str, ...]
    reshaped: tuple[str, ...]


def _match(weights: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> _Match:
    prefix = _best_prefix(weights, expected)
    bare = {name.removeprefix(prefix): name for name in weights if name.startswith(prefix)}
    outside = [name for name in weights if not name.startswith(prefix)]
    targets = _renames(bare, expected)
    found = {targets.get(name, name): weights[original] for name, original in bare.items()}
    absent = [name for name in expected if name not in found]
    return _Match(
        prefix=prefix,
        renamed={bare[name]: target for name, target in targets.items()},
        found=found,
        counters=tuple(name for name in absent if name.endswith(COUNTER)),
        missing=tuple(name for name in absent if not name.endswith(COUNTER)),
        unexpected=(*(name for name in found if name not in expected), *outside),
        reshaped=tuple(n for n in expected if n in found and found[n].shape != expected[n].shape),
    )


def _best_prefix(weights: Iterable[str], expected: Container[str]) -> str:
    """Find the prefix under which most of the checkpoint's names are the model's; the shortest of equals."""
    hits: Counter[str] = Counter()
    for name in weights:
        parts = name.split(".")
        for cut in range(len(parts)):
            if ".".join(parts[cut:]) in expected:
                hits["".join(f"{part}." for part in parts[:cut])] += 1
    return min(hits, key=lambda prefix: (-hits[prefix], len(prefix), prefix), default="")


def _renames(names: Iterable[str], expected: Container[str]) -> dict[str, str]:
    taken = set(names)
    renamed: dict[str, str] = {}
    for name in names:
        if name in expected:
            continue
        for old, new in _RENAMES:
            target = re.sub(old, new, name)
            if target in expected and target not in taken:
                renamed[name] = target
                taken.add(target)
                break
    return renamed


def _misfit(model: nn.Module, match: _Match, source: str) -> InputError:
    expected = model.state_dict()
    own = identify(expected)
    name = f"`zoo:{own}`" if own else f"this {type(model).__name__}"
    shapes = [
        f"{n}: {list(match.found[n].shape)} instead of {list(expected[n].shape)}" for n in match.reshaped
    ]
    counts = [
        f"{len(names)} tensor{'s' if len(names) > 1 else ''} {what} ({_first(names)})"
        for what, names in (
            ("missing", match.missing),
            ("left over", match.unexpected),
            ("of another shape", shapes),
        )
        if names
    ]
    return InputError(f"`{source}` does not fit {name}: {', '.join(counts)}; {_reason(match, expected, own)}")


def _reason(match: _Match, expected: Mapping[str, Tensor], own: str | None) -> str:
    theirs, ours = infer_classes(match.found), infer_classes(expected)
    strangers = len(match.missing) + len(match.unexpected)
    if (
        theirs != ours
        and not strangers
        and all(match.found[n].shape[:1] == (theirs,) for n in match.reshaped)
    ):
        return (
            f"the checkpoint tells {theirs} classes apart, the model {ours}: use data with {theirs} classes"
        )
    zoo = identify(match.found)
    if zoo is not None and zoo == own:
        return "the body is the model's but the classifier differs: take a checkpoint that has its head"
    if zoo is not None:
        classes = f" for {theirs} classes" if theirs else ""
        return f"these are the weights of `zoo:{zoo}`{classes}: choose that model"
    if sum(name in expected for name in match.found) * 2 > len(match.found):
        return "part of it agrees, so depth, width or variant differ: choose the model it was made for"
    return "hardly a name agrees, so the architecture is another: choose the model it was made for"


def _first(names: Sequence[str]) -> str:
    more = f", and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more
