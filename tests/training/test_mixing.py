from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from torchvision.transforms import v2

from pursuhint.catalogue import HINT_FACTS, LOGIT_FACTS
from pursuhint.data import load_data
from pursuhint.data.images import choose_images
from pursuhint.errors import InputError
from pursuhint.losses import Batch, Outputs
from pursuhint.losses.cross_entropy import CrossEntropy
from pursuhint.preprocess import KNOWN
from pursuhint.training.batches import Batches
from pursuhint.training.mixing import Mixing, box
from pursuhint.training.settings import make_settings

KINDS = ("mixup", "cutmix")


def with_last_first(images: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The whole batch as `Mixing` takes it: before the first image comes its partner, the last one."""
    return torch.cat([images[-1:], images]), torch.cat([labels[-1:], labels])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("step", range(4))
def test_it_mixes_as_torchvision_does(kind: str, step: int):
    images, labels = torch.rand(5, 3, 12, 20), torch.tensor([0, 1, 2, 0, 1])
    found, soft = Mixing(kind, 1.0, classes=3, seed=7)(*with_last_first(images, labels), 2, step)
    generator = np.random.Generator(np.random.Philox(key=[7, 2], counter=[0, 0, step, 2]))
    share = generator.beta(1.0, 1.0)
    transform = (v2.MixUp if kind == "mixup" else v2.CutMix)(num_classes=3)
    params = {"lam": share}
    if kind == "cutmix":
        top, bottom, left, right = box(share, generator.random(2), 12, 20)
        area = (bottom - top) * (right - left) / (12 * 20)
        params = {"box": (left, top, right, bottom), "lam_adjusted": 1 - area}
    transform.make_params = lambda _: params
    expected, expected_soft = transform(images, labels)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(soft, expected_soft.float())


@pytest.mark.parametrize(
    ("centre", "expected"),
    [((0.5, 0.5), (2, 6, 5, 15)), ((0.0, 0.99), (0, 2, 14, 20)), ((0.99, 0.0), (5, 8, 0, 5))],
)
def test_a_box_has_the_images_proportions_and_ends_at_the_border(centre, expected):
    assert box(0.75, np.array(centre), 8, 20) == expected


def batches(mixing: Mixing | None, **cut: int) -> Batches:
    return Batches(
        choose_images(load_data("digits").train, 48),
        KNOWN["digits"],
        augmentation="affine",
        batch_size=16,
        seed=1,
        device=torch.device("cpu"),
        mixing=mixing,
        **cut,
    )


@pytest.mark.parametrize("kind", [None, *KINDS])
def test_the_parts_of_a_batch_are_the_batch(kind: str | None):
    mixing = Mixing(kind, 0.4, classes=10, seed=1) if kind else None
    whole = list(batches(mixing).epoch(2))
    shares = [list(batches(mixing, accumulate=2, rank=rank, processes=4).epoch(2)) for rank in range(4)]
    assert [len(share) for share in shares] == [3 * 2] * 4
    for step, expected in enumerate(whole):
        parts = [share[2 * step + turn] for turn in range(2) for share in shares]
        again = list(batches(mixing, accumulate=8).parts(2, step))
        for found in (parts, again):
            for name in Batch._fields:
                assert torch.equal(torch.cat([getattr(p, name) for p in found]), getattr(expected, name))


@pytest.mark.parametrize("kind", KINDS)
def test_seed_epoch_and_step_decide_how_a_batch_is_mixed(kind: str):
    given = with_last_first(torch.rand(4, 3, 32, 32), torch.arange(4))
    first = Mixing(kind, 1.0, classes=4, seed=0)(*given, 1, 2)
    again = Mixing(kind, 1.0, classes=4, seed=0)(*given, 1, 2)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    for seed, epoch, step in ((1, 1, 2), (0, 2, 2), (0, 1, 3)):
        other = Mixing(kind, 1.0, classes=4, seed=seed)(*given, epoch, step)
        assert not torch.equal(first[1], other[1])


def test_cross_entropy_takes_probabilities():
    logits, labels, others = torch.randn(6, 4), torch.arange(6) % 4, torch.arange(6) % 3
    one_hot = torch.eye(4)
    batch = Batch(torch.zeros(6, 3, 8, 8), 0.3 * one_hot[labels] + 0.7 * one_hot[others], torch.arange(6))
    log_p = logits.log_softmax(1)
    rows = torch.arange(6)
    expected = -(0.3 * log_p[rows, labels] + 0.7 * log_p[rows, others]).mean()
    torch.testing.assert_close(CrossEntropy()(Outputs(logits), None, batch)["cls"], expected)
    torch.testing.assert_close(
        CrossEntropy()(Outputs(logits.bfloat16()), None, batch)["cls"], expected, atol=0.02, rtol=0
    )


@pytest.mark.parametrize("kind", KINDS)
def test_teacher_and_student_see_the_mixed_images(train, settings_for, kind: str):
    seen: dict[str, list[torch.Tensor]] = {"teacher": [], "student": []}

    size = (
        settings_for().batch_size
    )  # fewer images: the faster teacher is compared with the one it stands for

    def watch(parts) -> None:
        def note(who: str):
            def hook(module, inputs):
                if len(inputs[0]) == size and (who == "teacher" or module.training):
                    seen[who].append(inputs[0])

            return hook

        parts.teacher.model.register_forward_pre_hook(note("teacher"))
        parts.student.model.register_forward_pre_hook(note("student"))

    plain = train(settings_for(epochs=1), folder="plain")
    mixed = train(settings_for(epochs=1, mix=kind), watch=watch)
    assert all(a is b for a, b in zip(seen["teacher"], seen["student"], strict=True))
    assert len(seen["teacher"]) == 1 + 3
    assert plain.of("step") != mixed.of("step")


HARD = {"crd", "at+crd", "wsl", "dkd"}


@pytest.mark.parametrize(
    ("field", "loss"),
    [*(("hint_loss", one) for one in HINT_FACTS), *(("logit_loss", one) for one in LOGIT_FACTS)],
)
def test_losses_that_need_one_class_an_image_are_refused(settings_for, field: str, loss: str):
    assert settings_for(mix="none", **{field: loss})
    if loss not in HARD:
        assert settings_for(mix="cutmix", **{field: loss})
        return
    message = (
        f"`{re.escape(loss)}` needs one class for each image, and `cutmix` blends two; set `mix` to none"
    )
    with pytest.raises(InputError, match=message):
        settings_for(mix="cutmix", **{field: loss})


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"mix": "mixin"}, "unknown mix `mixin`: did you mean `mixup`"),
        ({"mix_alpha": 0}, "`mix_alpha`: Input should be greater than 0; found `0`"),
        ({"ema": 1}, "`ema`: Input should be less than 1; found `1`"),
        ({"ema": 0}, "`ema`: Input should be greater than 0; found `0`"),
        ({"select": "train"}, "unknown select `train`. Known: validation, test"),
        ({"accumulate": 0}, "`accumulate`: Input should be greater than or equal to 1; found `0`"),
        ({"accumulate": 5}, "`accumulate` must divide the batch size 64; found 5"),
    ],
)
def test_values_that_break_their_rule_are_named(fields: dict, message: str):
    with pytest.raises(InputError, match=message):
        make_settings(kind="train", student="zoo:resnet8", data="digits", preprocess="digits", **fields)


def test_targets_are_not_kept_of_mixed_images(settings_for):
    with pytest.raises(InputError, match="targets are kept image by image, and `mixup` blends two"):
        settings_for(mix="mixup", keep_targets=2)
