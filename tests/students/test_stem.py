"""Families by name: what differs in size only belongs together, what is another architecture does not."""

from __future__ import annotations

import pytest

from pursuhint.students.relatives import stem


@pytest.mark.parametrize(
    "family",
    [
        ("resnet18", "resnet34", "resnet152"),
        ("vgg11_bn", "vgg19_bn"),
        ("vgg11", "vgg16"),
        ("wide_resnet50_2", "wide_resnet101_2"),
        ("resnext50_32x4d", "resnext101_64x4d"),
        ("regnet_x_400mf", "regnet_x_1_6gf"),
        ("mobilenet_v3_small", "mobilenet_v3_large"),
        ("mobilenetv3_small_050", "mobilenetv3_large_100"),
        ("efficientnet_b0", "efficientnet_b7"),
        ("vit_tiny_patch16_224", "vit_small_patch16_224"),
        ("swin_t", "swin_b"),
        ("convnext_nano", "convnext_xlarge"),
        ("shufflenet_v2_x0_5", "shufflenet_v2_x1_0"),
    ],
)
def test_one_family(family: tuple[str, ...]):
    assert len({stem(name) for name in family}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("vgg16", "vgg16_bn"),
        ("mobilenet_v2", "mobilenet_v3_small"),
        ("vit_tiny_patch16_224", "vit_tiny_patch16_384"),
        ("vit_small_patch16_224", "vit_small_patch32_224"),
        ("swin_t", "swin_v2_t"),
        ("regnet_x_400mf", "regnet_y_400mf"),
        ("resnet50", "resnet50d"),
    ],
)
def test_two_families(one: str, other: str):
    assert stem(one) != stem(other)
