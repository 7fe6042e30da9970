from __future__ import annotations

import pytest

from pursuhint.errors import InputError
from pursuhint.training.check import check_settings
from pursuhint.training.temperatures import TEMPERATURES
from pursuhint.training.weight_presets import WEIGHT_PRESETS, describe_preset, presets_for
from pursuhint.training.weight_settings import Weights

TERMS = ("cls", "logit", "hint")


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("pursuhint-cifar100", (1, 1.5, 1)),
        ("pursuhint-imagenet", (1, 0.5, 0.01)),
        ("repdistiller-kd", (0.1, 0.9, 0)),
        ("repdistiller-fitnet", (1, 0, 100)),
        ("repdistiller-at", (1, 0, 1000)),
        ("repdistiller-sp", (1, 0, 3000)),
        ("repdistiller-cc", (1, 0, 0.02)),
        ("repdistiller-vid", (1, 0, 1)),
        ("repdistiller-rkd", (1, 0, 1)),
        ("repdistiller-pkt", (1, 0, 30000)),
        ("repdistiller-nst", (1, 0, 50)),
        ("repdistiller-crd", (1, 0, 0.8)),
    ],
)
def test_the_numbers_are_the_published_ones(name: str, numbers: tuple[float, ...]):
    """Capsule 4245746 and RepDistiller's scripts/run_cifar_distill.sh, copied here by hand."""
    weights = Weights(preset=name)
    assert weights.mode == "fixed"
    assert tuple(getattr(weights, term) for term in TERMS) == numbers


def test_no_preset_is_left_untested():
    assert len(WEIGHT_PRESETS) == 12
    assert TEMPERATURES["kd"] == 4


@pytest.mark.parametrize(
    "name", ["pursuhint-cifar100", "pursuhint-imagenet", "repdistiller-at", "repdistiller-kd"]
)
def test_a_preset_with_its_own_losses_is_not_refused(settings_for, name: str):
    preset = WEIGHT_PRESETS[name]
    settings = settings_for(
        hint_loss=preset.hint_loss, logit_loss=preset.logit_loss, weights={"preset": name}
    )
    assert check_settings(settings) is None


def test_a_preset_for_another_hint_loss_is_refused(settings_for):
    with pytest.raises(
        InputError,
        match="the weights preset `repdistiller-kd` is for the hint loss `none`; found `at`, whose reduction "
        "differs; use balanced weights or one of pursuhint-cifar100, pursuhint-imagenet, repdistiller-at",
    ):
        settings_for(weights={"preset": "repdistiller-kd"})


def test_only_the_authors_examples_are_unverified():
    unverified = [name for name in WEIGHT_PRESETS if describe_preset(name).endswith("; reduction unverified")]
    assert unverified == ["pursuhint-cifar100", "pursuhint-imagenet"]
    assert presets_for("cka") == []


def test_a_run_records_its_preset_and_says_that_it_is_unverified(train, settings_for):
    recorded = train(settings_for(epochs=1, weights={"preset": "pursuhint-cifar100"}))
    (settled,) = recorded.of("weights")
    assert settled["preset"] == "pursuhint-cifar100"
    assert settled["weights"] == {"cls": 1.0, "logit": 1.5, "hint": 1.0}
    first, *_ = recorded.of("warning")
    assert first["text"].endswith(
        "CIFAR-100; reduction unverified: look at the shares of the gradient, or use balanced weights"
    )
