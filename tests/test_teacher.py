from __future__ import annotations

import contextlib

import numpy as np
import pytest
import torch

from pursuhint.data import ImageData, load_data
from pursuhint.data.images import choose_images
from pursuhint.errors import InputError, PursuhintError
from pursuhint.preprocess import KNOWN
from pursuhint.teacher import check_strength, load_teacher, logits_of, score
from tests.tiny import TEACHER


@pytest.fixture(scope="module")
def digits() -> ImageData:
    return load_data("digits")


def test_it_is_ready_for_use_and_knows_what_it_is(tiny_teacher, tiny_weights):
    assert not tiny_teacher.model.training
    assert not any(p.requires_grad for p in tiny_teacher.model.parameters())
    assert tiny_teacher.parameters == sum(p.numel() for p in tiny_teacher.model.parameters())
    ref = tiny_teacher.ref
    assert (ref.spec, ref.weights, ref.classes) == (TEACHER, str(tiny_weights), 10)
    assert (ref.preprocess, ref.hash) == ("digits", tiny_teacher.hash)


def test_the_score_is_that_of_a_plain_pass(tiny_teacher, digits: ImageData):
    found = score(tiny_teacher.model, digits.test, tiny_teacher.preprocess, batch_size=64)
    with torch.no_grad():
        logits = tiny_teacher.model(KNOWN["digits"].apply(digits.test.images()))
    labels = torch.from_numpy(digits.test.labels)
    assert found.n == 500
    assert found.accuracy == pytest.approx((logits.argmax(1) == labels).float().mean().item())
    expected = torch.nn.functional.cross_entropy(logits, labels).item()
    assert found.cross_entropy == pytest.approx(expected, rel=1e-4)
    rows = logits_of(tiny_teacher.model, digits.test, tiny_teacher.preprocess, batch_size=7)
    np.testing.assert_allclose(rows, logits, atol=1e-4)


def test_scoring_counts_up_and_keeps_the_mode(tiny_teacher, digits: ImageData):
    told = []
    tiny_teacher.model.train()
    try:
        score(
            tiny_teacher.model,
            digits.test,
            tiny_teacher.preprocess,
            batch_size=200,
            progress=lambda *what: told.append(what),
        )
        assert tiny_teacher.model.training
    finally:
        tiny_teacher.model.eval()
    assert told == [("evaluating", 200, 500), ("evaluating", 400, 500), ("evaluating", 500, 500)]


def test_a_batch_is_halved_until_it_fits(tiny_teacher, digits: ImageData):
    """Real allocations fail; the last batch is smaller than the others."""
    tried, told, part = [], [], choose_images(digits.test, 150)
    expected = logits_of(tiny_teacher.model, part, tiny_teacher.preprocess)

    def greedy(most: int):
        def hook(module: torch.nn.Module, inputs: tuple[torch.Tensor]) -> None:
            tried.append(len(inputs[0]))
            if tried[-1] > most:
                torch.empty(1 << 50, dtype=torch.uint8)

        return tiny_teacher.model.register_forward_pre_hook(hook)

    with greedy(40):
        found = logits_of(
            tiny_teacher.model, part, tiny_teacher.preprocess, progress=lambda *what: told.append(what[1])
        )
    assert tried == [128, 64, 32, 32, 32, 32, 22] and told == [32, 64, 96, 128, 150]
    np.testing.assert_allclose(found, expected, atol=1e-4)
    message = "^out of memory with a single image on cpu; free some memory, or choose another `--device` or a"
    with greedy(0), pytest.raises(PursuhintError, match=message):
        logits_of(tiny_teacher.model, part, tiny_teacher.preprocess)
    assert tried[7:] == [128, 64, 32, 16, 8, 4, 2, 1]


def test_auto_finds_the_preprocessing_of_the_lowest_cross_entropy(
    tiny_teacher, tiny_weights, digits: ImageData
):
    found = load_teacher(TEACHER, weights=tiny_weights, data=digits, device="cpu")
    scores = {n: score(found.model, digits.train, p).cross_entropy for n, p in KNOWN.items()}
    best, second = sorted(scores, key=scores.get)[:2]
    assert found.preprocess == KNOWN[best]
    expected = f"preprocessing `{best}` chosen by cross-entropy on 1000 training images: {scores[best]:.3f}"
    assert f"{expected}, next `{second}` {scores[second]:.3f}" in found.note


def test_the_input_shape_is_that_of_a_prepared_image(tiny_teacher, tiny_weights, digits: ImageData):
    assert tiny_teacher.input_shape is None
    assert tiny_teacher.input_shape_for(digits) == (3, 8, 8)
    larger = load_teacher(TEACHER, weights=tiny_weights, data=digits, preprocess="digits/16", device="cpu")
    assert larger.input_shape == larger.input_shape_for(digits) == (3, 16, 16)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"spec": "zoo:resnet9"}, "unknown zoo model `resnet9`: did you mean `resnet8`"),
        (
            {"weights": None},
            "teacher `zoo:resnet14.width=0.5` needs its trained weights: give a checkpoint file",
        ),
        ({"preprocess": "imagnet"}, "unknown preprocess `imagnet`: did you mean `imagenet`"),
        ({"device": "cuda:99"}, "device `cuda:99` is not available here; use `auto`, `cpu` or a GPU"),
        ({"device": "gpu"}, "device `gpu` is not available here"),
    ],
)
def test_what_does_not_fit_is_refused(tiny_weights, digits: ImageData, options: dict, message: str):
    given = {"spec": TEACHER, "weights": tiny_weights, "preprocess": "digits", "device": "cpu"} | options
    with pytest.raises(InputError, match=message):
        load_teacher(given.pop("spec"), data=digits, **given)


def test_images_that_the_network_refuses_are_said(digits: ImageData):
    from torchvision.models import VisionTransformer

    model = VisionTransformer(
        image_size=32, patch_size=8, num_layers=1, num_heads=2, hidden_dim=16, mlp_dim=32
    )
    message = r"the network refuses images of shape \(3, 8, 8\): Wrong image height.*`imagenet/256/224`"
    with pytest.raises(InputError, match=message):
        logits_of(model, digits.test, KNOWN["digits"])


def test_outputs_that_are_not_finite_are_an_error(digits: ImageData):
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(192, 10))
    torch.nn.init.constant_(model[1].weight, float("nan"))
    with pytest.raises(
        PursuhintError, match="the network's outputs are not finite on this data; its weights are"
    ):
        score(model, digits.test, KNOWN["digits"])


def test_a_teacher_near_chance_needs_permission():
    labels = np.arange(10_000) % 10
    check_strength(0.5, labels, 10)
    check_strength(0.11, labels, 10, allow_weak=True)
    message = (
        r"right on 11.0% of 10,000 images, near chance \(10.0%; expected at least 20.0%\): its weights, "
    )
    with pytest.raises(InputError, match=message):
        check_strength(0.11, labels, 10)


@pytest.mark.parametrize(
    ("classes", "weak", "strong"), [(2, 0.59, 0.61), (3, 0.42, 0.44), (10, 0.19, 0.21), (100, 0.019, 0.021)]
)
def test_what_is_near_chance_goes_with_the_classes(classes, weak, strong):
    labels = np.arange(10_000) % classes
    check_strength(strong, labels, classes)
    with pytest.raises(InputError, match="near chance"):
        check_strength(weak, labels, classes)


@pytest.mark.parametrize(("classes", "n"), [(2, 30), (10, 50), (100, 100), (100, 500), (1000, 500)])
def test_who_guesses_does_not_pass_by_luck(classes, n):
    generator = np.random.default_rng(0)
    passed = 0
    for _ in range(300):
        labels = generator.permutation(np.arange(n) % classes)
        right = (generator.integers(classes, size=n) == labels).mean()
        with contextlib.suppress(InputError):
            check_strength(right, labels, classes)
            passed += 1
    assert passed <= 2  # 0.3 are expected


def test_the_commonest_class_is_no_knowledge_and_few_images_are_no_fault():
    labels = np.arange(500) < 50
    with pytest.raises(InputError, match=r"right on 90.0% of 500 images, near chance \(90.0%; expected at"):
        check_strength(0.9, labels.astype(np.int64), 2)
    check_strength(0.96, labels.astype(np.int64), 2)
    check_strength(1.0, np.array([0, 1, 0, 1]), 2)


def test_the_built_in_teacher_does_what_its_card_says(digits: ImageData):
    from pursuhint.files import read_json
    from pursuhint.models import ASSETS

    teacher = load_teacher("builtin:digits-resnet56", data=digits, device="cpu")
    card = read_json(ASSETS / "teachers" / "digits-resnet56.json")
    found = score(teacher.model, digits.test, teacher.preprocess)
    assert found.accuracy >= 0.99
    assert found.accuracy == pytest.approx(card["test_accuracy"], abs=0.004)
    assert teacher.weights is None
