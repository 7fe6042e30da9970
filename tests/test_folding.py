from __future__ import annotations

import pytest
import torch
from torch import nn

from pursuhint.folding import fast_copy, norms_after_convolutions
from pursuhint.layers import candidate_layers
from pursuhint.recorder import ActivationRecorder
from pursuhint.zoo import build_zoo

IMAGES = torch.rand(4, 3, 16, 16)


def trained(model: nn.Module) -> nn.Module:
    """Give the batch norms statistics and weights that folding can get wrong."""
    for norm in (m for m in model.modules() if isinstance(m, nn.BatchNorm2d)):
        for values, low in ((norm.running_var, 0.5), (norm.weight.data, 0.5), (norm.bias.data, -1)):
            values.uniform_(low, low + 1)
        norm.running_mean.uniform_(-1, 1)
    return model.eval().requires_grad_(False)


def norms(model: nn.Module) -> int:
    return sum(isinstance(module, nn.BatchNorm2d) for module in model.modules())


def recorded(model: nn.Module, layers: list[str]) -> dict[str, torch.Tensor]:
    with torch.inference_mode(), ActivationRecorder(model, layers) as recorder:
        model(IMAGES)
    return recorder.outputs


@pytest.mark.parametrize("name", ["resnet8", "resnet14?variant=b", "wrn_16_1"])
def test_every_layer_puts_out_what_it_did(name: str):
    model = trained(build_zoo(name, classes=10))
    layers = [layer.name for layer in candidate_layers(model, (3, 16, 16))]
    faster = fast_copy(model, IMAGES, layers)
    assert norms(faster) < norms(model)
    before, after = recorded(model, layers), recorded(faster, layers)
    for layer in layers:
        torch.testing.assert_close(after[layer], before[layer], rtol=1e-4, atol=1e-5)


def test_the_network_itself_is_not_changed():
    model = trained(build_zoo("resnet8", classes=10))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    fast_copy(model, IMAGES, [])
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


def test_a_recorded_convolution_or_norm_is_left_alone():
    model = trained(build_zoo("resnet8", classes=10))
    found = norms_after_convolutions(model, IMAGES, keep={"layer1.0.bn1", "layer2.0.conv1"})
    assert "layer1.0.bn1" not in found and "layer2.0.bn1" not in found
    assert found["layer1.0.bn2"] == "layer1.0.conv2"


def test_a_convolution_whose_output_is_read_twice_is_not_folded():
    class Both(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.bn = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)

        def forward(self, images):
            maps = self.conv(images)
            return (maps + self.bn(maps)).mean(dim=(2, 3))

    model = trained(Both())
    assert norms_after_convolutions(model, IMAGES) == {}
    assert fast_copy(model, IMAGES, []) is model


def test_a_convolution_called_twice_is_not_folded():
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.first, self.second = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3), nn.BatchNorm2d(3)

        def forward(self, images):
            return self.second(self.conv(self.first(self.conv(images)))).mean(dim=(2, 3))

    assert norms_after_convolutions(trained(Twice()), IMAGES) == {}


def test_a_norm_before_its_convolution_stays():
    model = trained(nn.Sequential(nn.BatchNorm2d(3), nn.Conv2d(3, 4, 3)))
    assert fast_copy(model, IMAGES, []) is model


def test_a_damaged_network_is_left_for_others_to_refuse():
    model = trained(build_zoo("resnet8", classes=10))
    model.layer1[0].conv1.weight.fill_(float("nan"))
    assert fast_copy(model, IMAGES, []) is model
