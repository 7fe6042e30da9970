"""The zoo's structure against published facts: parameters, key names, number of blocks."""

import pytest
import torch

from pursuhint.zoo import ZOO, build_zoo
from pursuhint.zoo.resnet import BasicBlock
from pursuhint.zoo.wrn import PreactivationBlock

# Option A, 10 classes: 0.27, 0.46, 0.66, 0.85, 1.7 million in He et al. (2016), table 6.
PARAMETERS_A = {
    "resnet20": 269_722,
    "resnet32": 464_154,
    "resnet44": 658_586,
    "resnet56": 853_018,
    "resnet110": 1_727_962,
}
# 1x1 shortcut, 10 and 100 classes: chenyaofo's pytorch-cifar-models, the same networks as RepDistiller's.
PARAMETERS_B = {
    "resnet20": (272_474, 278_324),
    "resnet32": (466_906, 472_756),
    "resnet44": (661_338, 667_188),
    "resnet56": (855_770, 861_620),
}
# 100 classes, in millions, as the distillation papers print them (Tian et al. 2020; Chen et al. 2021).
MILLIONS_100 = {
    "wrn_40_2": 2.26,
    "wrn_40_1": 0.57,
    "wrn_16_2": 0.70,
    "resnet8x4": 1.23,
    "resnet32x4": 7.43,
}
BATCH_NORM = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")


def parameters(name: str, classes: int, **options: str) -> int:
    return sum(p.numel() for p in build_zoo(name, classes=classes, **options).parameters())


def batch_norm(prefix: str) -> list[str]:
    return [f"{prefix}.{name}" for name in BATCH_NORM]


@pytest.mark.parametrize(("name", "published"), PARAMETERS_A.items())
def test_parameters_of_variant_a(name: str, published: int) -> None:
    assert parameters(name, 10) == published


@pytest.mark.parametrize(("name", "published"), PARAMETERS_B.items())
def test_parameters_of_variant_b(name: str, published: tuple[int, int]) -> None:
    assert (parameters(name, 10, variant="b"), parameters(name, 100, variant="b")) == published


@pytest.mark.parametrize(("name", "published"), MILLIONS_100.items())
def test_parameters_in_millions(name: str, published: float) -> None:
    assert round(parameters(name, 100) / 1e6, 2) == published


def test_keys_of_resnet20_a_are_idelbayevs() -> None:
    expected = ["conv1.weight", *batch_norm("bn1")]
    for stage in (1, 2, 3):
        for block in (0, 1, 2):
            for part in (1, 2):
                expected += [f"layer{stage}.{block}.conv{part}.weight"]
                expected += batch_norm(f"layer{stage}.{block}.bn{part}")
    expected += ["linear.weight", "linear.bias"]
    assert list(build_zoo("resnet20", classes=10).state_dict()) == expected


def test_keys_of_resnet20_b_are_repdistillers() -> None:
    keys = set(build_zoo("resnet20", classes=100, variant="b").state_dict())
    shortcuts = {
        key
        for block in ("layer2.0", "layer3.0")
        for key in [f"{block}.downsample.0.weight", *batch_norm(f"{block}.downsample.1")]
    }
    plain = set(build_zoo("resnet20", classes=100).state_dict())
    assert keys - plain == shortcuts | {"fc.weight", "fc.bias"}
    assert plain - keys == {"linear.weight", "linear.bias"}


@pytest.mark.parametrize("name", ["resnet8x4", "resnet32x4"])
def test_times_four_networks_have_a_shortcut_in_every_stage(name: str) -> None:
    weights = build_zoo(name, classes=100).state_dict()
    shapes = [tuple(weights[f"layer{stage}.0.downsample.0.weight"].shape) for stage in (1, 2, 3)]
    assert shapes == [(64, 32, 1, 1), (128, 64, 1, 1), (256, 128, 1, 1)]
    assert weights["conv1.weight"].shape == (32, 3, 3, 3)
    assert weights["fc.weight"].shape == (100, 256)


def test_keys_of_wrn_16_1_are_repdistillers() -> None:
    expected = ["conv1.weight"]
    for stage in (1, 2, 3):
        for block in (0, 1):
            name = f"block{stage}.layer.{block}"
            expected += [*batch_norm(f"{name}.bn1"), f"{name}.conv1.weight"]
            expected += [*batch_norm(f"{name}.bn2"), f"{name}.conv2.weight"]
            # Stage 1 keeps the 16 channels of the stem, so its shortcut is the identity.
            expected += [f"{name}.convShortcut.weight"] if stage > 1 and block == 0 else []
    expected += [*batch_norm("bn1"), "fc.weight", "fc.bias"]
    assert list(build_zoo("wrn_16_1", classes=10).state_dict()) == expected


@pytest.mark.parametrize(
    ("name", "blocks"),
    [
        ("resnet8", 3),
        ("resnet56", 27),
        ("resnet110", 54),
        ("resnet32x4", 15),
        ("wrn_40_2", 18),
        ("wrn_16_2", 6),
    ],
)
def test_number_of_sub_blocks(name: str, blocks: int) -> None:
    model = build_zoo(name, classes=10)
    assert sum(isinstance(m, BasicBlock | PreactivationBlock) for m in model.modules()) == blocks


@pytest.mark.parametrize("name", ZOO)
def test_depth_in_the_name_counts_the_weighted_layers(name: str) -> None:
    model = build_zoo(name, classes=10)
    shortcuts = (".downsample.", ".convShortcut.")
    weighted = [k for k, p in model.named_parameters() if p.ndim > 1 and not any(s in k for s in shortcuts)]
    # Zagoruyko and Komodakis count the three 1x1 shortcuts and leave the head out: 6n + 4.
    extra = 2 if name.startswith("wrn") else 0
    assert len(weighted) + extra == ZOO[name].depth


@pytest.mark.parametrize("name", ZOO)
@pytest.mark.parametrize("side", [8, 32])
def test_logits_have_one_column_a_class(name: str, side: int) -> None:
    with torch.inference_mode():
        assert build_zoo(name, classes=7)(torch.zeros(2, 3, side, side)).shape == (2, 7)


def test_width_scales_every_convolution() -> None:
    weights = build_zoo("resnet14?width=0.625", classes=10).state_dict()
    widths = [weights[f"{name}.weight"].shape[0] for name in ("conv1", "layer1.0.conv1", "layer2.0.conv1")]
    assert [*widths, weights["linear.weight"].shape[1]] == [10, 10, 20, 40]


@pytest.mark.parametrize(
    "name", ["resnet8?width=0.01", "resnet8?width=0.01&variant=b", "wrn_16_1?width=0.01"]
)
def test_the_narrowest_network_has_one_channel_and_runs(name: str) -> None:
    model = build_zoo(name, classes=3).eval()
    assert model.conv1.weight.shape[0] == 1
    assert torch.isfinite(model(torch.ones(2, 3, 16, 16))).all()


def test_same_seed_gives_the_same_weights() -> None:
    def seeded() -> torch.Tensor:
        torch.manual_seed(3)
        return build_zoo("resnet8", classes=10).layer3[0].conv2.weight

    assert torch.equal(seeded(), seeded())
