from __future__ import annotations

import pytest
import torch
from torch import nn

from pursuhint.errors import InputError, PursuhintError
from pursuhint.recorder import ActivationRecorder, first_tensor, require_called


class Blocks(nn.Module):
    """One ReLU module used twice, in place or not, with known weights."""

    def __init__(self, *, inplace: bool) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.first, self.second = nn.Linear(4, 4), nn.Linear(4, 4)
        self.relu = nn.ReLU(inplace=inplace)
        self.unused = nn.Linear(4, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.relu(self.second(self.relu(self.first(x))))


class Wrapped(nn.Module):
    """Put out whatever is given."""

    def __init__(self, output) -> None:
        super().__init__()
        self.inner = nn.Identity()
        self.output = output
        self.inner.forward = lambda x: self.output(x)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.inner(x)
        return x


def hooks_of(model: nn.Module) -> int:
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules())


def test_a_module_in_place_does_not_overwrite_what_was_recorded():
    x = torch.randn(8, 4)
    recorded = {}
    for inplace in (False, True):
        model = Blocks(inplace=inplace)
        with ActivationRecorder(model, ["first", "second"]) as recorder, torch.no_grad():
            model(x)
        recorded[inplace] = recorder.outputs
    assert (recorded[True]["first"] < 0).any(), "the value before the ReLU"
    for name in ("first", "second"):
        assert torch.equal(recorded[True][name], recorded[False][name])


def test_every_call_of_a_module_has_its_name():
    model, x = Blocks(inplace=True), torch.randn(8, 4)
    with ActivationRecorder(model, ["relu", "relu#2"]) as recorder, torch.no_grad():
        result = model(x)
    first = torch.relu(model.first(x))
    assert torch.equal(recorder.outputs["relu"], first)
    assert torch.equal(recorder.outputs["relu#2"], result)
    assert list(recorder.outputs) == ["relu", "relu#2"]


def test_a_second_forward_pass_starts_anew():
    model = Blocks(inplace=False)
    with ActivationRecorder(model, ["relu", "relu#2"]) as recorder, torch.no_grad():
        model(torch.zeros(1, 4))
        result = model(torch.ones(3, 4))
    assert list(recorder.outputs) == ["relu", "relu#2"]
    assert torch.equal(recorder.outputs["relu#2"], result)


def test_hooks_are_removed():
    model = Blocks(inplace=False)
    with ActivationRecorder(model, ["first", "relu#2"]):
        assert hooks_of(model) == 3
    assert hooks_of(model) == 0


def test_hooks_are_removed_after_an_error():
    model = Blocks(inplace=False)
    message = "shapes cannot be multiplied"
    with pytest.raises(RuntimeError, match=message), ActivationRecorder(model, ["first"]):
        model(torch.zeros(1, 5))
    assert hooks_of(model) == 0


def test_gradients_flow_through_what_is_recorded():
    model, x = Blocks(inplace=True), torch.randn(8, 4)
    with ActivationRecorder(model, ["first"]) as recorder:
        model(x)
    recorder.outputs["first"].sum().backward()
    torch.testing.assert_close(model.first.weight.grad, x.sum(0).expand(4, 4))


def test_the_transform_is_applied_inside_the_pass():
    model, x = Blocks(inplace=True), torch.randn(8, 4)
    with (
        ActivationRecorder(model, ["first"], transform=lambda t, _: t.mean(dim=0)) as recorder,
        torch.no_grad(),
    ):
        model(x)
    torch.testing.assert_close(recorder.outputs["first"], model.first(x).mean(dim=0))


@pytest.mark.parametrize(
    "output",
    [lambda x: (x + 1, None), lambda x: [None, x + 1], lambda x: {"loss": 0.5, "hidden": x + 1}],
    ids=["tuple", "list", "dict"],
)
def test_the_first_tensor_stands_for_a_composite_output(output):
    x = torch.randn(2, 3)
    model = Wrapped(output)
    with ActivationRecorder(model, ["inner"]) as recorder:
        model(x)
    assert torch.equal(recorder.outputs["inner"], x + 1)


def test_an_output_without_a_tensor_is_an_error():
    model = Wrapped(lambda x: "text")
    message = "layer `inner` put out str, which holds no tensor"
    with pytest.raises(PursuhintError, match=message), ActivationRecorder(model, ["inner"]):
        model(torch.zeros(1))
    assert first_tensor({"a": 1}) is None
    assert hooks_of(model) == 0


@pytest.mark.parametrize("name", ["firs", "firs#2"])
def test_an_unknown_layer_is_refused_with_the_nearest(name: str):
    with pytest.raises(InputError, match="unknown layer `firs(#2)?`: did you mean `first`"):
        ActivationRecorder(Blocks(inplace=False), [name])


def test_the_network_itself_is_no_layer():
    with pytest.raises(InputError, match="unknown layer ``"):
        ActivationRecorder(Blocks(inplace=False), [""])


def test_a_layer_that_is_never_called_is_refused():
    model = Blocks(inplace=False)
    with ActivationRecorder(model, ["unused", "relu#3", "relu"]) as recorder:
        model(torch.zeros(1, 4))
        assert recorder.missing() == ["unused", "relu#3"]
        with pytest.raises(InputError, match=r"layer `unused` was never called in the forward pass \(2 such"):
            require_called(recorder)
