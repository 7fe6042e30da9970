from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from pursuhint.analysis import AnalysisFolder, AnalysisSettings, gram
from pursuhint.analysis.gram import collect_hsic
from pursuhint.analysis.worker import analyse
from pursuhint.data import Split, load_data
from pursuhint.data.images import choose_images
from pursuhint.errors import InputError, PursuhintError
from pursuhint.hints import choose_hints
from pursuhint.layers import Layer, candidate_layers
from pursuhint.preprocess import KNOWN
from pursuhint.recorder import ActivationRecorder
from pursuhint.similarity import cka_from_hsic
from pursuhint.zoo import build_zoo
from tests.tiny import TEACHER

DIGITS = KNOWN["digits"]


@pytest.fixture(scope="module")
def probe() -> Split:
    return choose_images(load_data("digits").train, 300)


@pytest.fixture
def model() -> nn.Module:
    return build_zoo("resnet8?width=0.5", classes=10).eval()


@pytest.fixture
def layers(model: nn.Module) -> list[Layer]:
    return candidate_layers(model, (3, 8, 8))


def unbiased_hsic(first: torch.Tensor, second: torch.Tensor) -> float:
    """The estimator of Song et al. (2012) as it is written, for Gram matrices in float64."""
    n = len(first)
    first, second = (gram - torch.diag(torch.diag(gram)) for gram in (first, second))
    ones = torch.ones(n, dtype=torch.float64)
    trace = torch.trace(first @ second)
    ends = (ones @ first @ ones) * (ones @ second @ ones) / ((n - 1) * (n - 2))
    return float((trace + ends - 2 / (n - 2) * (ones @ first @ second @ ones)) / (n * (n - 3)))


def test_it_is_the_loop_in_float64_over_the_same_minibatches(model, layers: list[Layer], probe: Split):
    hsic, sizes, logits = collect_hsic(model, probe, layers, DIGITS)
    names = [layer.name for layer in layers]
    assert sizes.tolist() == [256, 44]
    double = model.double()
    expected = np.zeros((2, len(names), len(names)))
    for batch, part in enumerate((slice(0, 256), slice(256, 300))):
        with torch.no_grad(), ActivationRecorder(double, names) as recorder:
            answers = double(DIGITS.apply(probe.images(part)).double())
        np.testing.assert_allclose(logits[part], answers, atol=1e-3)
        grams = [recorder.outputs[name].flatten(1) @ recorder.outputs[name].flatten(1).T for name in names]
        expected[batch] = [[unbiased_hsic(first, second) for second in grams] for first in grams]
    assert np.abs(cka_from_hsic(hsic, sizes) - cka_from_hsic(expected, sizes)).max() < 1e-5


def test_a_layer_with_values_that_are_not_finite_is_named_with_its_images(probe: Split):
    class Fragile(nn.Module):
        """Put out NaN for a white image."""

        def forward(self, images):
            white = (images == 1).flatten(1).all(dim=1)
            return torch.where(white[:, None, None, None], torch.nan, images)

    model = nn.Sequential(Fragile(), nn.Flatten(), nn.Linear(192, 2))
    source = np.array(probe.source)
    source[probe.ids[260]] = 255
    with pytest.raises(PursuhintError, match="layer `0` puts out NaN .* first in the images 256 to 299"):
        collect_hsic(
            model,
            Split(source, probe.ids, probe.labels),
            [Layer("0", "Fragile", (3, 8, 8), 0, 0)],
            KNOWN["none"],
        )


def test_mixed_precision_is_used_only_where_it_changes_nothing_that_counts(
    model, layers, probe: Split, monkeypatch: pytest.MonkeyPatch
):
    exact, sizes, _ = collect_hsic(model, probe, layers, DIGITS)
    monkeypatch.setattr(gram, "bfloat16_pays", lambda device: True)
    monkeypatch.setattr(gram, "TOLERANCE", 1e-9)
    refused, _, _ = collect_hsic(model, probe, layers, DIGITS)
    np.testing.assert_array_equal(refused, exact)
    monkeypatch.setattr(gram, "TOLERANCE", 0.05)
    taken, _, _ = collect_hsic(model, probe, layers, DIGITS)
    change = np.abs(cka_from_hsic(taken, sizes) - cka_from_hsic(exact, sizes)).max()
    assert 0 < change < 0.05


def test_a_gram_matrix_is_float32_also_under_autocast():
    maps = torch.randn(7, 3, 4, 4).to(torch.bfloat16)
    with torch.autocast("cpu", torch.bfloat16):
        found = gram._gram(maps, "layer")
    rows = maps.double().flatten(1)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found.double(), rows @ rows.T, rtol=1e-5, atol=1e-4)


@pytest.fixture
def flat(tiny_weights: Path, tmp_path: Path) -> AnalysisFolder:
    settings = AnalysisSettings(
        teacher=TEACHER,
        weights=str(tiny_weights),
        preprocess="digits",
        samples=600,
        pooling="flatten",
        device="cpu",
        threads=1,
    )
    return analyse(settings, tmp_path / "flat", whole=False)


def test_an_analysis_of_flattened_activations_gives_hint_points(flat: AnalysisFolder):
    assert not (flat.path / "features").exists() or not list((flat.path / "features").iterdir())
    matrix = flat.similarity("cka_linear_debiased")
    assert matrix.samples == 600 and matrix.pooling == "flatten"
    assert flat.similarity("cka_linear_debiased", samples=512).samples == 512
    assert matrix.notes["layer1.0"].width == 8 * 8 * 8
    plan = choose_hints(flat, metric="cka_linear_debiased", clusters=2)
    assert plan.pooling == "flatten" and len(plan.hint_points) == 2
    assert flat.blocks().count == 3


def test_flattened_activations_allow_one_metric_only(flat: AnalysisFolder):
    with pytest.raises(InputError, match="`flatten` allows `cka_linear_debiased` only: found `r2_cca`"):
        flat.similarity("r2_cca")
    with pytest.raises(InputError, match="flattened activations are too large to be kept"):
        flat.features("layer1.0")
    with pytest.raises(InputError, match="minibatches of 256 images: take at least 256, found 100"):
        flat.similarity("cka_linear_debiased", samples=100)


def test_a_damaged_file_of_flattened_activations_is_noticed(flat: AnalysisFolder):
    content = (flat.path / "hsic.npz").read_bytes()
    (flat.path / "hsic.npz").write_bytes(content[: len(content) // 2])
    again = AnalysisFolder.open(flat.path)
    assert again.damaged()
    with pytest.raises(InputError, match="must hold HSIC of minibatches: .*; make it again"):
        again.similarity("cka_linear_debiased")
