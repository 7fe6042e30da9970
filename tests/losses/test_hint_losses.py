"""What every hint loss must stand: other shapes, dead or equal features, large ones, and its own facts."""

from __future__ import annotations

import pytest
import torch

from pursuhint.adapters import describe_adapters
from pursuhint.catalogue import HINT_FACTS
from pursuhint.errors import InputError
from pursuhint.losses import HINT_LOSSES, Batch, HintLoss, Outputs, TrainingImages
from pursuhint.pairs import Pair

PAIRS = (Pair("t1", "s1"), Pair("t2", "s2"))
N = 6
SHAPES = {
    "convolutional": ((4, 8, 8), (6, 4, 4)),
    "equal": ((4, 4, 4), (4, 4, 4)),
    "tokens teach maps": ((4, 6, 6), (17, 8)),
    "maps teach tokens": ((17, 8), (4, 6, 6)),
    "tokens teach tokens": ((17, 8), (17, 12)),
    "tokens of other counts": ((17, 8), (64, 12)),
}
VECTORS = {
    "vectors": ((4,), (6,)),
    "a vector teaches maps": ((4, 3, 3), (6,)),
    "tokens teach a vector": ((6,), (17, 8)),
}
STRANGE_TOKENS = ((4, 6, 6), (7, 8))
IN_MAPS = ("at", "nst", "at+crd")


def outputs(side: str, features: torch.Tensor) -> Outputs:
    return Outputs(torch.zeros(len(features), 3), {f"{side}1": features, f"{side}2": features.flip(0)})


def prepared(name: str, guided_shape: tuple[int, ...], hint_shape: tuple[int, ...]) -> HintLoss:
    loss = HINT_LOSSES[name](PAIRS)
    torch.manual_seed(0)
    example = [
        outputs(*side) for side in (("s", torch.randn(N, *guided_shape)), ("t", torch.randn(N, *hint_shape)))
    ]
    loss.prepare(*example, TrainingImages(torch.arange(N), torch.arange(N) % 3))
    return loss


def total(loss: HintLoss, guided: torch.Tensor, hint: torch.Tensor) -> torch.Tensor:
    n = len(guided)
    batch = Batch(torch.zeros(n, 3, 8, 8), torch.arange(n) % 3, torch.arange(n))
    return sum(loss(outputs("s", guided), outputs("t", hint), batch).values())


def assert_finite(loss: HintLoss, guided: torch.Tensor, hint: torch.Tensor) -> torch.Tensor:
    """Go forwards and backwards; returns the gradient on the guided layer."""
    guided = guided.clone().requires_grad_()
    found = total(loss, guided, hint)
    found.backward()
    assert torch.isfinite(found)
    assert torch.isfinite(guided.grad).all()
    assert all(p.grad is None or torch.isfinite(p.grad).all() for p in loss.parameters())
    assert all(torch.isfinite(b).all() for b in loss.buffers() if b.is_floating_point())
    return guided.grad


@pytest.mark.parametrize("shapes", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("name", HINT_LOSSES)
def test_gradients_reach_student_and_adapter_and_not_the_teacher(name: str, shapes):
    loss = prepared(name, *shapes)
    guided, hint = torch.randn(N, *shapes[0]), torch.randn(N, *shapes[1])
    assert assert_finite(loss, guided, hint).abs().sum() > 0
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in loss.parameters())
    assert not hint.requires_grad


@pytest.mark.parametrize("shapes", VECTORS.values(), ids=VECTORS)
@pytest.mark.parametrize("name", HINT_LOSSES)
def test_vectors_teach_and_learn_where_no_positions_are_compared(name: str, shapes):
    if name in IN_MAPS:
        with pytest.raises(InputError, match="compares maps .* or square grids of tokens; found"):
            prepared(name, *shapes)
    else:
        assert assert_finite(prepared(name, *shapes), *(torch.randn(N, *s) for s in shapes)).abs().sum() > 0


@pytest.mark.parametrize("name", HINT_LOSSES)
def test_tokens_that_fill_no_square_meet_maps_only_where_positions_do_not_count(name: str):
    if HINT_FACTS[name].grid == "common":
        message = (
            r"found \(7, 8\) at the hint point `t1` and \(4, 6, 6\) at the guided layer `s1`; choose another"
        )
        with pytest.raises(InputError, match=message):
            prepared(name, *STRANGE_TOKENS)
    else:
        assert_finite(prepared(name, *STRANGE_TOKENS), *(torch.randn(N, *s) for s in STRANGE_TOKENS))


@pytest.mark.parametrize("name", HINT_LOSSES)
@pytest.mark.parametrize("kind", ["zero", "equal images", "constant", "one dead image", "hint zero"])
def test_degenerate_features_stay_finite(name: str, kind: str):
    loss = prepared(name, (4, 4, 4), (6, 4, 4))
    guided, hint = torch.randn(N, 4, 4, 4), torch.randn(N, 6, 4, 4)
    if kind == "zero":
        guided = torch.zeros_like(guided)
    elif kind == "equal images":
        guided = guided[:1].expand(N, -1, -1, -1)
    elif kind == "constant":
        guided = torch.ones_like(guided)
    elif kind == "one dead image":
        guided[1] = 0
    else:
        hint = torch.zeros_like(hint)
    gradient = assert_finite(loss, guided, hint)
    assert gradient.abs().max() < 1e4, "finite, and not one that throws the student away"


@pytest.mark.parametrize("name", HINT_LOSSES)
def test_one_image_is_finite_or_refused(name: str):
    loss = prepared(name, (4, 4, 4), (6, 4, 4))
    features = torch.randn(1, 4, 4, 4), torch.randn(1, 6, 4, 4)
    if HINT_FACTS[name].across_images and not HINT_FACTS[name].needs_ids:
        with pytest.raises(InputError, match=f"the hint loss `{name}` compares the images of a batch"):
            total(loss, *features)
    else:
        assert_finite(loss, *features)


@pytest.mark.parametrize("name", HINT_LOSSES)
@pytest.mark.parametrize(
    ("dtype", "size"), [(torch.float16, 1e4), (torch.bfloat16, 1e6), (torch.float16, 1e-4)]
)
def test_large_and_small_half_precision_features_stay_finite(name: str, dtype: torch.dtype, size: float):
    loss = prepared(name, (4, 8, 8), (6, 4, 4))
    guided, hint = (size * torch.randn(N, *shape) for shape in ((4, 8, 8), (6, 4, 4)))
    assert_finite(loss, guided.to(dtype), hint.to(dtype))


@pytest.mark.parametrize("name", HINT_LOSSES)
def test_the_facts_are_the_losss_own(name: str):
    loss, facts = HINT_LOSSES[name], HINT_FACTS[name]
    assert loss.name == name
    assert loss.reduction == facts.reduction
    assert (loss.needs_ids, loss.across_images) == (facts.needs_ids, facts.across_images)


@pytest.mark.parametrize("name", [name for name, facts in HINT_FACTS.items() if not facts.needs_ids])
def test_what_is_said_to_look_across_images_does_and_nothing_else(name: str):
    """The mean over two halves of a batch equals the whole; batch norm is asked for its running values."""
    loss = prepared(name, (4, 4, 4), (6, 4, 4)).eval()
    guided, hint = (
        torch.randn(N, 4, 4, 4),
        torch.randn(N, 6, 4, 4) * torch.arange(1.0, N + 1).view(N, 1, 1, 1),
    )
    halves = (total(loss, guided[:3], hint[:3]) + total(loss, guided[3:], hint[3:])) / 2
    equal = torch.allclose(total(loss, guided, hint), halves, rtol=1e-4)
    assert equal is not HINT_FACTS[name].across_images


@pytest.mark.parametrize(
    ("name", "shapes"),
    [(name, shapes) for name in HINT_LOSSES for shapes in SHAPES.values()]
    + [(name, shapes) for name in HINT_LOSSES if name not in IN_MAPS for shapes in VECTORS.values()],
)
def test_the_described_parameters_are_those_that_are_trained(name: str, shapes):
    loss = prepared(name, *shapes)
    guided, hints = dict.fromkeys(("s1", "s2"), shapes[0]), dict.fromkeys(("t1", "t2"), shapes[1])
    described = describe_adapters(PAIRS, guided, hints, name)
    assert sum(p.numel() for p in loss.parameters()) == sum(adapter.parameters for adapter in described)
    assert HINT_FACTS[name].adapter == any(adapter.parameters for adapter in described)
