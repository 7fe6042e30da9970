"""What the zoo computes, against the published forward passes written out with torch.nn.functional."""

import pytest
import torch
import torch.nn.functional as F

from pursuhint.zoo import build_zoo
from pursuhint.zoo.resnet import ZeroPadShortcut

Tensors = dict[str, torch.Tensor]


def normalised(x: torch.Tensor, w: Tensors, name: str) -> torch.Tensor:
    return F.batch_norm(
        x, w[f"{name}.running_mean"], w[f"{name}.running_var"], w[f"{name}.weight"], w[f"{name}.bias"]
    )


def idelbayev(x: torch.Tensor, w: Tensors, blocks: int) -> torch.Tensor:
    """Y. Idelbayev's network: option A pads planes // 4 on each side."""
    x = F.relu(normalised(F.conv2d(x, w["conv1.weight"], padding=1), w, "bn1"))
    for stage, planes in ((1, 16), (2, 32), (3, 64)):
        for block in range(blocks):
            name, stride = f"layer{stage}.{block}", 2 if stage > 1 and block == 0 else 1
            out = F.conv2d(x, w[f"{name}.conv1.weight"], stride=stride, padding=1)
            out = F.relu(normalised(out, w, f"{name}.bn1"))
            out = normalised(F.conv2d(out, w[f"{name}.conv2.weight"], padding=1), w, f"{name}.bn2")
            if stride == 2:
                x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, planes // 4, planes // 4), "constant", 0)
            x = F.relu(out + x)
    pooled = F.avg_pool2d(x, x.shape[3]).flatten(1)
    return F.linear(pooled, w["linear.weight"], w["linear.bias"])


def repdistiller(x: torch.Tensor, w: Tensors, blocks: int) -> torch.Tensor:
    """RepDistiller's ResNet: 1x1 convolution and batch norm where the shape changes."""
    x = F.relu(normalised(F.conv2d(x, w["conv1.weight"], padding=1), w, "bn1"))
    for stage in (1, 2, 3):
        for block in range(blocks):
            name, stride = f"layer{stage}.{block}", 2 if stage > 1 and block == 0 else 1
            out = F.conv2d(x, w[f"{name}.conv1.weight"], stride=stride, padding=1)
            out = F.relu(normalised(out, w, f"{name}.bn1"))
            out = normalised(F.conv2d(out, w[f"{name}.conv2.weight"], padding=1), w, f"{name}.bn2")
            if f"{name}.downsample.0.weight" in w:
                x = F.conv2d(x, w[f"{name}.downsample.0.weight"], stride=stride)
                x = normalised(x, w, f"{name}.downsample.1")
            x = F.relu(out + x)
    return F.linear(F.avg_pool2d(x, 8).flatten(1), w["fc.weight"], w["fc.bias"])


def wide(x: torch.Tensor, w: Tensors, blocks: int) -> torch.Tensor:
    """RepDistiller's WRN: where the width changes, both branches read the activated input."""
    x = F.conv2d(x, w["conv1.weight"], padding=1)
    for stage in (1, 2, 3):
        for block in range(blocks):
            name, stride = f"block{stage}.layer.{block}", 2 if stage > 1 and block == 0 else 1
            active = F.relu(normalised(x, w, f"{name}.bn1"))
            out = F.conv2d(active, w[f"{name}.conv1.weight"], stride=stride, padding=1)
            out = F.conv2d(F.relu(normalised(out, w, f"{name}.bn2")), w[f"{name}.conv2.weight"], padding=1)
            if f"{name}.convShortcut.weight" in w:
                x = F.conv2d(active, w[f"{name}.convShortcut.weight"], stride=stride)
            x = x + out
    x = F.relu(normalised(x, w, "bn1"))
    return F.linear(F.avg_pool2d(x, 8).flatten(1), w["fc.weight"], w["fc.bias"])


@pytest.mark.parametrize(
    ("name", "blocks", "reference"),
    [
        ("resnet20", 3, idelbayev),
        ("resnet56", 9, idelbayev),
        ("resnet20?variant=b", 3, repdistiller),
        ("resnet8x4", 1, repdistiller),
        ("wrn_16_1", 2, wide),
        ("wrn_16_2", 2, wide),
    ],
)
def test_forward_is_the_published_one(name: str, blocks: int, reference) -> None:
    torch.manual_seed(0)
    model = build_zoo(name, classes=10).eval()
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, std=0.1)
            torch.nn.init.normal_(module.running_mean, std=0.1)
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
    images = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(
            model(images), reference(images, model.state_dict(), blocks), rtol=1e-5, atol=1e-5
        )


@pytest.mark.parametrize(("missing", "before", "after"), [(16, 8, 8), (3, 1, 2), (1, 0, 1), (0, 0, 0)])
def test_option_a_pads_both_sides_as_evenly_as_possible(missing: int, before: int, after: int) -> None:
    x = torch.arange(1.0, 33.0).reshape(1, 2, 4, 4)
    out = ZeroPadShortcut(missing, stride=2)(x)
    assert out.shape == (1, 2 + missing, 2, 2)
    assert torch.equal(out[:, before : before + 2], x[:, :, ::2, ::2])
    assert (
        out[:, :before].count_nonzero() == out[:, out.shape[1] - after :].count_nonzero() * bool(after) == 0
    )
