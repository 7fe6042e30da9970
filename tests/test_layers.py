from __future__ import annotations

import pytest
import torch
from torch import nn

from pursuhint.errors import InputError
from pursuhint.layers import Layer, candidate_layers, stage_ends
from pursuhint.zoo import build_zoo

SMALL = (3, 32, 32)


@pytest.fixture(scope="module")
def resnet8() -> nn.Module:
    return build_zoo("resnet8", classes=10).eval()


def names(model: nn.Module, shape: tuple[int, int, int] = SMALL, **options) -> list[str]:
    return [layer.name for layer in candidate_layers(model, shape, **options)]


@pytest.mark.parametrize(
    ("name", "count", "stages"),
    [("resnet56", 27, 3), ("resnet110", 54, 3), ("wrn_40_2", 18, 3), ("resnet32x4", 15, 3)],
)
def test_the_zoo_has_the_papers_counts(name: str, count: int, stages: int):
    with torch.device("meta"):
        layers = candidate_layers(build_zoo(name, classes=10), SMALL)
    assert len(layers) == count
    assert [layer.stage for layer in layers] == sorted(i // (count // stages) for i in range(count))
    assert all(layer.type.endswith("Block") for layer in layers)


def test_torchvision_resnet34_has_16():
    from torchvision.models import resnet34

    with torch.device("meta"):
        found = candidate_layers(resnet34(weights=None), (3, 64, 64))
    assert len(found) == 16
    assert stage_ends(found) == ["layer1.2", "layer2.3", "layer3.5", "layer4.2"]


def test_a_vision_transformer_offers_its_12_blocks():
    from torchvision.models import vit_b_16

    with torch.device("meta"):
        found = candidate_layers(vit_b_16(weights=None), (3, 224, 224))
    assert [layer.name for layer in found] == [f"encoder.layers.encoder_layer_{i}" for i in range(12)]
    assert {layer.shape for layer in found} == {(197, 768)}


def test_a_timm_transformer_offers_its_blocks():
    timm = pytest.importorskip("timm")
    model = timm.create_model("vit_tiny_patch16_224", pretrained=False, img_size=32, depth=3)
    assert names(model) == ["blocks.0", "blocks.1", "blocks.2"]


def test_vgg_offers_the_last_layer_before_each_pooling():
    from torchvision.models import vgg11

    with torch.device("meta"):
        found = candidate_layers(vgg11(weights=None, init_weights=False), (3, 64, 64))
    assert [layer.name for layer in found] == [f"features.{i}" for i in (1, 4, 9, 14, 19)]
    assert [layer.shape[0] for layer in found] == [64, 128, 256, 512, 512]


def test_a_network_without_sequences_offers_its_children():
    class Plain(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.relu, self.head = nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Linear(4, 2)

        def forward(self, x):
            return self.head(self.relu(self.conv(x)).mean(dim=(2, 3)))

    assert names(Plain()) == ["conv", "head"]


def test_shapes_parameters_and_stages_are_those_of_the_blocks(resnet8: nn.Module):
    found = candidate_layers(resnet8, SMALL)
    assert [layer.name for layer in found] == ["layer1.0", "layer2.0", "layer3.0"]
    assert [layer.shape for layer in found] == [(16, 32, 32), (32, 16, 16), (64, 8, 8)]
    assert [layer.parameters for layer in found] == [
        sum(p.numel() for p in resnet8.get_submodule(layer.name).parameters()) for layer in found
    ]
    # 2 convolutions of 3 x 3 without bias and 2 batch norms of 16 channels, by hand:
    assert found[0].parameters == 2 * 16 * 16 * 9 + 2 * 2 * 16
    assert [layer.stage for layer in found] == [0, 1, 2]


def test_depth_adds_the_modules_below(resnet8: nn.Module):
    wide = names(resnet8, depth=1)
    assert set(names(resnet8)) < set(wide)
    inside = [name for name in wide if name.startswith("layer1.0")]
    assert inside == ["layer1.0.conv1", "layer1.0.bn1", "layer1.0.conv2", "layer1.0.bn2", "layer1.0"]


def test_include_offers_more_and_exclude_is_stronger(resnet8: nn.Module):
    assert names(resnet8, include=["*.conv1"]) == [
        "layer1.0.conv1",
        "layer1.0",
        "layer2.0.conv1",
        "layer2.0",
        "layer3.0.conv1",
        "layer3.0",
    ]
    assert names(resnet8, exclude=["layer2*"]) == ["layer1.0", "layer3.0"]
    assert names(resnet8, include=["*.conv1"], exclude=["*.conv1"]) == names(resnet8)


def test_a_module_called_twice_is_offered_twice():
    from torchvision.models import resnet18

    with torch.device("meta"):
        found = names(resnet18(weights=None), include=["layer1.0.relu"])
    assert [name for name in found if "relu" in name] == ["layer1.0.relu", "layer1.0.relu#2"]


@pytest.mark.parametrize("training", [True, False])
def test_the_network_is_left_as_it_was(training: bool):
    model = build_zoo("resnet8", classes=10).train(training)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    candidate_layers(model, SMALL)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert model.training is training
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())
    assert all(p.grad is None for p in model.parameters())


def test_nothing_left_is_an_error_that_names_what_is_there(resnet8: nn.Module):
    message = (
        "no candidate layer is left: widen `--depth` or `--include`, or narrow `--exclude`; .* conv1, bn1"
    )
    with pytest.raises(InputError, match=message):
        candidate_layers(resnet8, SMALL, exclude=["*"])


def test_an_image_that_does_not_fit_is_an_error_and_hooks_are_gone():
    from torchvision.models import VisionTransformer

    model = VisionTransformer(
        image_size=32, patch_size=8, num_layers=1, num_heads=2, hidden_dim=16, mlp_dim=32
    )
    message = r"the network refuses images of shape \(3, 40, 40\): Wrong image height.*choose a preprocessing"
    with pytest.raises(InputError, match=message):
        candidate_layers(model, (3, 40, 40))
    assert not any(m._forward_hooks for m in model.modules())


def test_stage_ends_are_the_last_of_each_shape():
    shapes = [(8, 4, 4), (8, 4, 4), (16, 2, 2), (16, 2, 2), (16, 2, 2)]
    layers = [Layer(f"b{i}", "B", s, 0, 0 if s[0] == 8 else 1) for i, s in enumerate(shapes)]
    assert stage_ends(layers) == ["b1", "b4"]


def test_a_layer_comes_back_from_json():
    layer = Layer("layer1.0", "BasicBlock", (8, 4, 4), 12, 1)
    assert Layer.from_dict(layer.as_dict()) == layer
    assert layer.as_dict()["shape"] == [8, 4, 4]
