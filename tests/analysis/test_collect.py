from __future__ import annotations

import gc
import os
import resource
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from pursuhint.analysis.collect import collect_representations, probe_images
from pursuhint.data import Split, load_data
from pursuhint.data.images import choose_images
from pursuhint.errors import InputError, PursuhintError
from pursuhint.layers import Layer, candidate_layers
from pursuhint.preprocess import KNOWN
from pursuhint.zoo import build_zoo

DIGITS = KNOWN["digits"]


@pytest.fixture(scope="module")
def probe() -> Split:
    return choose_images(load_data("digits").train, 50)


@pytest.fixture
def model() -> nn.Module:
    return build_zoo("resnet8?width=0.5", classes=10)


@pytest.fixture
def layers(model: nn.Module) -> list[Layer]:
    return candidate_layers(model, (3, 8, 8), depth=1)


def test_one_pass_gives_what_one_hook_at_a_time_gives(model: nn.Module, layers: list[Layer], probe: Split):
    found, logits = collect_representations(model, probe, layers, DIGITS, batch_size=16)
    images = DIGITS.apply(probe.images())
    assert list(found) == [layer.name for layer in layers]
    for layer in layers:
        kept = []
        handle = model.get_submodule(layer.name).register_forward_hook(
            lambda _m, _i, output, kept=kept: kept.append(output.clone())
        )
        with torch.no_grad():
            expected_logits = model.eval()(images)
        handle.remove()
        expected = kept[0].numpy().mean(axis=(2, 3))
        assert found[layer.name].dtype == np.float32
        np.testing.assert_allclose(found[layer.name], expected, atol=2e-5, rtol=1e-4)
    np.testing.assert_allclose(logits, expected_logits, atol=1e-4)


def test_a_module_in_place_and_called_twice_keeps_its_true_values(probe: Split):
    class Blocks(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3)
            self.relu = nn.ReLU(inplace=True)

        def forward(self, x):
            return self.relu(self.second(self.relu(self.first(x)))).mean(dim=(2, 3))

    model = Blocks()
    layers = candidate_layers(model, (3, 8, 8), include=["relu"])
    found, _ = collect_representations(model, probe, layers, DIGITS)
    with torch.no_grad():
        first = model.first(DIGITS.apply(probe.images()))
        second = model.second(first.relu())
    expected = {"first": first, "relu": first.relu(), "second": second, "relu#2": second.relu()}
    assert list(found) == list(expected)
    for name, maps in expected.items():
        np.testing.assert_allclose(found[name], maps.mean(dim=(2, 3)), atol=1e-5)


def test_the_images_pass_once(model: nn.Module, layers: list[Layer], probe: Split):
    sizes: list[int] = []
    model.register_forward_pre_hook(lambda _m, inputs: sizes.append(len(inputs[0])))
    told = []
    collect_representations(
        model, probe, layers, DIGITS, batch_size=20, progress=lambda *what: told.append(what)
    )
    assert [size for size in sizes if size > 2] == [16, 16, 20, 20, 10]  # 16: the faster copy is compared
    assert told == [(f"reading {len(layers)} layers", done, 50) for done in (0, 20, 40, 50)]


def test_no_feature_map_outlives_its_forward_pass(model: nn.Module, layers: list[Layer], probe: Split):
    def maps() -> int:
        """Living feature maps, the input images included."""
        tensors = [one for one in gc.get_objects() if issubclass(type(one), torch.Tensor)]
        return sum(one.ndim == 4 and not isinstance(one, nn.Parameter) for one in tensors)

    living, before = [], maps()
    collect_representations(
        model, probe, layers, DIGITS, batch_size=25, progress=lambda *_: living.append(maps() - before)
    )
    assert living[1:] == [1, 1]


def test_with_a_folder_the_rows_are_files(model, layers: list[Layer], probe: Split, tmp_path: Path):
    in_memory, _ = collect_representations(model, probe, layers, DIGITS)
    on_disk, _ = collect_representations(model, probe, layers, DIGITS, folder=tmp_path / "features")
    assert sorted(os.listdir(tmp_path / "features")) == [f"{i:03d}.npy" for i in range(len(layers))]
    for i, layer in enumerate(layers):
        assert isinstance(on_disk[layer.name], np.memmap)
        file = np.load(tmp_path / "features" / f"{i:03d}.npy")
        np.testing.assert_array_equal(file, in_memory[layer.name])


def test_hooks_are_gone_and_the_network_is_untouched(model: nn.Module, layers: list[Layer], probe: Split):
    model.train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    collect_representations(model, probe, layers, DIGITS)
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


class Whole(nn.Module):
    """Whole numbers in, whole numbers out: float32 is exact, whatever the order of the additions."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 8, 3, bias=False), nn.Conv2d(8, 4, 3, bias=False)
        with torch.no_grad():
            self.first.weight.copy_(torch.randint(-2, 3, self.first.weight.shape))
            self.second.weight.copy_(torch.randint(-2, 3, self.second.weight.shape))

    def forward(self, images):
        return self.second(self.first((images * 255).round())).sum(dim=(2, 3))


@pytest.mark.parametrize("batch_size", [1, 7, 50])
def test_the_features_do_not_depend_on_the_batch_size(batch_size: int, probe: Split):
    model = Whole()
    layers = candidate_layers(model, (3, 8, 8))
    expected, _ = collect_representations(model, probe, layers, KNOWN["none"], batch_size=16)
    found, _ = collect_representations(model, probe, layers, KNOWN["none"], batch_size=batch_size)
    for name, rows in expected.items():
        np.testing.assert_allclose(found[name], rows, rtol=1e-12)


def test_the_size_is_said_before_the_start_and_capped(model, layers, probe: Split, tmp_path: Path):
    size = 4 * 50 * sum(layer.shape[0] for layer in layers)
    told = []
    collect_representations(
        model, probe, layers, DIGITS, folder=tmp_path / "a", progress=lambda *what: told.append(what[0])
    )
    assert told[0] == f"reading {len(layers)} layers, {size / 1e3:.1f} kB on disk"
    with pytest.raises(InputError, match=r"for 50 images would take .* kB on disk, more than the 1.0 kB"):
        collect_representations(
            model, probe, layers, DIGITS, folder=tmp_path / "b", most_bytes=1000, batch_size=10
        )
    assert not (tmp_path / "b").exists()


def test_a_layer_that_changes_its_shape_is_named(probe: Split):
    class Fickle(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.steady, self.fickle = nn.Conv2d(3, 4, 3), nn.Conv2d(3, 6, 3)
            self.fickle.register_forward_hook(lambda _m, _i, out: out[:, :4] if len(out) == 10 else out)

        def forward(self, images):
            return self.steady(images).mean(dim=(2, 3)) + self.fickle(images).mean()

    model = Fickle()
    layers = candidate_layers(model, (3, 8, 8))
    with pytest.raises(
        PursuhintError,
        match="`fickle` must put out the same shape for every batch: 6 .* 4 from image 40",
    ):
        collect_representations(model, probe, layers, DIGITS, batch_size=20)


def test_values_that_are_not_finite_are_named(model: nn.Module, layers: list[Layer], probe: Split):
    with torch.no_grad():
        model.layer2[0].conv1.weight.fill_(float("inf"))
    with pytest.raises(
        PursuhintError,
        match="layer `layer2.0.conv1` puts out NaN or infinite values, first in the images 0 to 49; check",
    ):
        collect_representations(model, probe, layers, DIGITS)


def test_a_layer_that_is_never_called_is_refused(model: nn.Module, layers: list[Layer], probe: Split):
    model.extra = nn.Linear(1, 1)
    with pytest.raises(InputError, match="layer `extra` was never called"):
        collect_representations(model, probe, [*layers, Layer("extra", "Linear", (1,), 2, 9)], DIGITS)


def test_a_full_disk_is_said(model: nn.Module, layers: list[Layer], probe: Split, tmp_path: Path):
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, limit[1]))
    try:
        with pytest.raises(
            PursuhintError, match=r"cannot write `.*000.npy`: File too large; free some space"
        ):
            collect_representations(model, probe, layers, DIGITS, folder=tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)


def test_probe_images_are_all_there_are_unless_said_otherwise():
    train = load_data("digits").train
    assert len(probe_images(train, None, most=10_000)) == 1000
    assert len(probe_images(train, None, most=300)) == 300
    assert len(probe_images(train, 40, most=10)) == 40
    with pytest.raises(
        InputError, match="`samples` must be at most 1000, the training images there are; found 1001"
    ):
        probe_images(train, 1001, most=10_000)


def test_maps_with_their_channels_last_are_averaged_over_positions(probe: Split):
    from torchvision.models import SwinTransformer

    sizes = {"embed_dim": 12, "depths": [1, 1], "num_heads": [2, 2], "window_size": [2, 2]}
    model = SwinTransformer(patch_size=[2, 2], num_classes=2, **sizes).eval()
    layers = candidate_layers(model, (3, 8, 8))
    found, _ = collect_representations(model, probe, layers, DIGITS)
    assert [rows.shape[1] for rows in found.values()] == [12, 24, 24]  # with the merging
    maps = []
    block = model.get_submodule(layers[0].name)
    with torch.no_grad(), block.register_forward_hook(lambda *given: maps.append(given[2])):
        model(DIGITS.apply(probe.images()))
    np.testing.assert_allclose(found[layers[0].name], maps[0].mean(dim=(1, 2)), atol=1e-5)
