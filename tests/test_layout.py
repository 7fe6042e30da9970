"""Layers of networks that keep their channels last, or that have register tokens."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from pursuhint.adapters import describe_adapter
from pursuhint.layers import candidate_layers
from pursuhint.layout import class_tokens, in_layout, register_tokens
from pursuhint.losses import HINT_LOSSES, Batch, TrainingImages
from pursuhint.pairs import Pair
from pursuhint.training.distiller import run_network
from pursuhint.zoo import build_zoo

timm = pytest.importorskip("timm")
SHAPE = (3, 32, 32)
SMALL = {"img_size": 32, "num_classes": 3}


def vit(**given: Any) -> nn.Module:
    sizes = {"patch_size": 8, "embed_dim": 24, "depth": 2, "num_heads": 2}
    return timm.create_model("vit_tiny_patch16_224", **SMALL | sizes | given).eval()


def deit() -> nn.Module:
    sizes = {"patch_size": 8, "embed_dim": 24, "depth": 2, "num_heads": 2}
    return timm.create_model("deit_tiny_distilled_patch16_224", **SMALL | sizes).eval()


def eva() -> nn.Module:
    sizes = {"patch_size": 8, "embed_dim": 24, "depth": 2, "num_heads": 2}
    return timm.models.eva.Eva(num_reg_tokens=4, **SMALL | sizes).eval()


def swin() -> nn.Module:
    sizes = {"patch_size": 4, "embed_dim": 12, "depths": (1, 1), "num_heads": (2, 2), "window_size": 4}
    return timm.models.swin_transformer.SwinTransformer(**SMALL | sizes).eval()


def torchvision_swin() -> nn.Module:
    from torchvision.models import SwinTransformer

    sizes = {"embed_dim": 12, "depths": [1, 1], "num_heads": [2, 2], "window_size": [4, 4]}
    return SwinTransformer(patch_size=[4, 4], num_classes=3, **sizes).eval()


def volo() -> nn.Module:
    sizes = {"layers": (1, 1), "embed_dims": (24, 48), "num_heads": (2, 2), "downsamples": (True, False)}
    outlooking = {"outlook_attention": (True, False), "stem_hidden_dim": 16, "patch_size": 4}
    return timm.models.volo.VOLO(**SMALL | sizes | outlooking, mlp_ratio=2.0, use_aux_head=False).eval()


def raw_output(model: nn.Module, layer: str, images: torch.Tensor) -> torch.Tensor:
    """What a layer puts out, by a hook of its own."""
    found = []
    hook = model.get_submodule(layer).register_forward_hook(lambda *given: found.append(given[2]))
    with torch.no_grad():
        model(images)
    hook.remove()
    return found[0]


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (swin, {"layers.0.blocks.0": (12, 8, 8), "layers.1.blocks.0": (24, 4, 4)}),
        (torchvision_swin, {"features.1.0": (12, 8, 8), "features.3.0": (24, 4, 4)}),
        (volo, {"network.0.0": (24, 8, 8)}),
        (lambda: vit(), {"blocks.1": (17, 24)}),
        (lambda: vit(reg_tokens=4), {"blocks.1": (17, 24)}),
        (lambda: vit(reg_tokens=4, class_token=False, global_pool="avg"), {"blocks.1": (16, 24)}),
        (eva, {"blocks.1": (17, 24)}),
        (deit, {"blocks.1": (18, 24)}),
        (lambda: build_zoo("resnet8", classes=3), {"layer1.0": (16, 32, 32)}),
        (lambda: timm.create_model("convnext_atto", num_classes=3), {"stages.0.blocks.0": (40, 8, 8)}),
    ],
)
def test_maps_have_their_channels_first_and_tokens_no_registers(model, expected):
    network = model()
    layers = {layer.name: layer.shape for layer in candidate_layers(network, SHAPE)}
    assert {name: layers[name] for name in expected} == expected
    recorded = run_network(network, torch.randn(2, *SHAPE), list(expected)).features
    assert {name: tuple(output.shape[1:]) for name, output in recorded.items()} == expected


@pytest.mark.parametrize(
    ("model", "classes", "registers"),
    [
        (lambda: vit(), 1, 0),
        (lambda: vit(reg_tokens=4), 1, 4),
        (deit, 2, 0),
        (eva, 1, 4),
        (lambda: nn.Linear(2, 2), 0, 0),
    ],
)
def test_the_tokens_in_front_are_counted(model, classes: int, registers: int):
    network = model()
    assert (class_tokens(network), register_tokens(network)) == (classes, registers)


def test_torchvisions_vit_has_a_class_token():
    from torchvision.models import VisionTransformer

    assert class_tokens(VisionTransformer(32, 16, 1, 2, 16, 16)) == 1


def test_places_and_convolutions_inside_of_such_networks_stay():
    """The patch embedding has no registers yet, and its convolution has its channels first."""
    model, images = vit(reg_tokens=4), torch.randn(2, *SHAPE)
    inside = run_network(model, images, ["patch_embed"]).features["patch_embed"]
    assert torch.equal(inside, raw_output(model, "patch_embed", images))
    model = swin()
    inside = run_network(model, images, ["patch_embed.proj"]).features["patch_embed.proj"]
    assert inside.shape == (2, 12, 8, 8)
    assert torch.equal(inside, raw_output(model, "patch_embed.proj", images))


def test_wide_maps_of_a_convolution_are_not_turned():
    convolution = nn.Sequential(nn.Conv2d(3, 8, 1), nn.ReLU())
    maps = torch.zeros(1, 8, 8, 16)
    assert in_layout(maps, convolution, convolution).shape == maps.shape


@pytest.mark.parametrize(
    ("model", "layer", "maps_of"),
    [
        (swin, "layers.0.blocks.0", lambda raw: raw.permute(0, 3, 1, 2)),
        (lambda: vit(reg_tokens=4), "blocks.0", lambda raw: raw[:, 5:].transpose(1, 2).reshape(-1, 24, 4, 4)),
    ],
    ids=["swin", "vit with registers"],
)
def test_the_attention_of_such_a_teacher_is_that_of_its_places(model, layer: str, maps_of):
    """Against the loss written out on what the layer itself puts out."""
    teacher, student = model(), build_zoo("resnet8?width=0.5", classes=3).eval()
    images, pair = torch.randn(4, *SHAPE), Pair(layer, "layer3.0")
    maps = [maps_of(raw_output(teacher, layer, images)), raw_output(student, "layer3.0", images)]
    side = min(one.shape[-1] for one in maps)
    drawn = []
    for one in maps:
        pooled = nn.functional.adaptive_avg_pool2d(one, side)
        attention = pooled.square().mean(1).flatten(1)
        drawn.append(attention / attention.norm(dim=1, keepdim=True))
    with torch.no_grad():
        taught, learned = run_network(teacher, images, [layer]), run_network(student, images, ["layer3.0"])
        loss = HINT_LOSSES["at"]([pair])
        loss.prepare(learned, taught)
        found = loss(learned, taught, None)[f"hint/{pair.name}"]
    torch.testing.assert_close(found, (drawn[0] - drawn[1]).square().mean())


@pytest.mark.parametrize("name", sorted(set(HINT_LOSSES) - {"at+crd"}))
@pytest.mark.parametrize("model", [swin, lambda: vit(reg_tokens=4)], ids=["swin", "vit with registers"])
def test_every_hint_loss_takes_them(name: str, model):
    teacher, student = model(), build_zoo("resnet8?width=0.5", classes=3)
    images, labels = torch.randn(4, *SHAPE), torch.arange(4) % 3
    layer = candidate_layers(teacher, SHAPE)[0]
    pair = Pair(layer.name, "layer2.0")
    with torch.no_grad():
        taught = run_network(teacher, images, [pair.hint])
    learned = run_network(student, images, [pair.guided])
    loss = HINT_LOSSES[name]([pair])
    loss.prepare(learned, taught, TrainingImages(torch.arange(6), torch.arange(6) % 3))
    (value,) = loss(learned, taught, Batch(images, labels, torch.arange(4))).values()
    value.backward()
    assert torch.isfinite(value)
    assert student.get_submodule("layer2.0.conv1").weight.grad.abs().sum() > 0
    described = describe_adapter(learned.features[pair.guided].shape[1:], layer.shape, name)
    assert described == loss.adapters[pair.name], "the page and the training say the same"
