from __future__ import annotations

import pytest

from pursuhint.errors import InputError
from pursuhint.training.check import check_settings
from pursuhint.training.settings import RunSettings, make_settings

PLAIN = {"kind": "train", "student": "zoo:resnet8", "data": "digits", "preprocess": "digits"}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"epochs": 0}, "`epochs`: Input should be greater than or equal to 1; found `0`"),
        ({"batch_size": 1}, "`batch_size`: Input should be greater than or equal to 2; found `1`"),
        ({"learning_rate": 0}, "`learning_rate`: Input should be greater than 0; found `0`"),
        ({"learning_rate": float("nan")}, "`learning_rate`: Input should be .*; found `nan`"),
        ({"temperature": -1}, "`temperature`: Input should be greater than 0; found `-1`"),
        ({"schedule": "cosin"}, "unknown schedule `cosin`: did you mean `cosine`"),
        ({"precision": "8"}, "unknown precision `8`. Known: 32-true, bf16-mixed"),
        ({"mirrors": ("wandb",)}, "unknown mirrors `wandb`. Known: tensorboard, mlflow"),
        ({"epoch": 3}, "`epoch`: Extra inputs are not permitted; found `3`"),
        ({"kind": "distill"}, "a distillation needs a hint plan"),
        ({"hint_loss": "at"}, "training without a teacher has no hint loss and no logit loss"),
        ({"trunk_rate": 0.1}, "only a training that begins with trained weights has a trunk to hold back"),
        ({"init": "x.pt", "trunk_rate": 2}, "`trunk_rate`: Input should be less than or equal to 1"),
        ({"hint_loss": "fitnets"}, "unknown hint loss `fitnets`: did you mean `fitnet`.* Known: none, at,"),
        (
            {"weights": {"mode": "fixed", "cls": 0, "logit": 0, "hint": 0}},
            "`weights`: at least one weight must be above 0",
        ),
        (
            {"weights": {"cls": 0}},
            "`weights`: balanced weights need a share of L_cls above 0; use fixed weights",
        ),
        ({"weights": {"hint": -1}}, "`weights.hint`: Input should be greater than or equal to 0; found `-1`"),
        (
            {"weights": {"mode": "fixed", "cls": 0}},
            r"every term of this run \(cls\) has weight 0; give one a weight",
        ),
        (
            {"weights": {"hint_last": 0.8}},
            "`weights`: balanced weights give the last pair its share by themselves",
        ),
        ({"weights": {"hint_last": 0}}, "`weights.hint_last`: Input should be greater than 0; found `0`"),
        (
            {"weights": {"mode": "balanced", "preset": "repdistiller-at"}},
            "`weights`: the weights of the preset `repdistiller-at` are fixed; leave out either",
        ),
        (
            {"weights": {"preset": "repdistiller"}},
            "unknown weights preset `repdistiller`: did you mean `repdist",
        ),
        (
            {"weight_schedule": {"hint": "decay"}},
            "this run has no hint loss whose weight could follow `decay`",
        ),
        ({"weight_schedule": {"hints": "decay"}}, "`weight_schedule.hints`: Extra inputs are not permitted"),
        (
            {"weight_schedule": {"cls": "warmup:31"}},
            "the weight of L_cls cannot rise over longer than the run; expected at most `warmup:30`, found",
        ),
        (
            {"warmup": 31},
            "cannot rise over longer than the run; expected `warmup` of at most 30, found 31",
        ),
        (
            {"steps_at": (15, 20)},
            "`steps_at` are places between 0, .* 1, its end; found .*; divide epochs by 30",
        ),
        ({"seed": 2**63}, "`seed`: Input should be less than 9223372036854775808"),
        ({"label_smoothing": 1}, "`label_smoothing`: Input should be less than 1; found `1`"),
        ({"label_smoothing": -0.1}, "`label_smoothing`: Input should be greater than or equal to 0"),
        ({"recipe": "cifar100"}, "unknown recipe `cifar100`: did you mean `cifar`"),
    ],
)
def test_a_value_that_breaks_its_rule_is_named(fields: dict, message: str):
    with pytest.raises(InputError, match=message):
        make_settings(**PLAIN | fields)


def test_a_weight_of_the_last_pair_needs_a_hint_loss_that_has_one(settings_for):
    with pytest.raises(
        InputError, match=r"is for hint losses made of two, such as at\+crd; found `at`; leave it"
    ):
        settings_for(weights={"mode": "fixed", "hint_last": 0.8})


def test_teacher_and_student_cannot_see_different_images(settings_for):
    message = "expected the preprocessing of the plan's teacher, `digits`, found `imagenet`; leave it out"
    with pytest.raises(InputError, match=message):
        settings_for(preprocess="imagenet")


@pytest.mark.parametrize("loss", ["dkd", "none"])
def test_a_preset_for_another_logit_loss_needs_a_weight(settings_for, loss: str):
    given = {"logit_loss": loss, "weights": {"preset": "pursuhint-cifar100"}}
    with pytest.raises(
        InputError, match=f"is for the logit loss `kd`; found `{loss}`; take the preset's, or"
    ):
        settings_for(**given)
    assert settings_for(**given | {"weights": {"preset": "pursuhint-cifar100", "logit": 0.5}})


@pytest.mark.parametrize(("logit_loss", "temperature"), [("kd", 4.0), ("kd-std", 2.0), ("none", 4.0)])
def test_the_temperature_is_the_logit_losss_own_when_left_out(
    settings_for, logit_loss: str, temperature: float
):
    assert settings_for(logit_loss=logit_loss).temperature == temperature
    assert settings_for(logit_loss=logit_loss, temperature=1.5).temperature == 1.5


@pytest.mark.parametrize(
    ("fields", "terms"),
    [
        ({}, ("cls", "logit", "hint")),
        ({"hint_loss": "none"}, ("cls", "logit")),
        ({"logit_loss": "none"}, ("cls", "hint")),
    ],
)
def test_the_terms_are_those_that_have_a_loss(settings_for, fields: dict, terms: tuple[str, ...]):
    assert settings_for(**fields).terms == terms


def test_settings_come_back_from_json(settings_for):
    settings = settings_for(
        pairs=({"hint": "layer1.0", "guided": "layer1.0"},),
        logit_loss="none",
        weights={"preset": "repdistiller-at", "hint": 500},
        weight_schedule={"hint": "decay"},
        recipe="cifar",
        label_smoothing=0.1,
    )
    assert (settings.weights.hint, settings.epochs, settings.schedule) == (500, 2, "step")
    assert RunSettings.model_validate_json(settings.model_dump_json()) == settings


@pytest.mark.parametrize(
    ("fields", "title"),
    [
        ({}, "resnet8?width=0.25 · kd + at"),
        ({"hint_loss": "none"}, "resnet8?width=0.25 · kd"),
        ({"hint_loss": "none", "logit_loss": "none"}, "resnet8?width=0.25 · no teacher"),
        ({"name": "mine"}, "mine"),
    ],
)
def test_the_title_says_student_and_losses(settings_for, fields: dict, title: str):
    assert settings_for(**fields).title == title


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"student": "zoo:resnet9"}, "unknown zoo model `resnet9`: did you mean `resnet8`"),
        (
            {"student": "builtin:digits-resnet56"},
            "is a trained teacher; choose a student such as `zoo:resnet20`",
        ),
        (
            {"kind": "train", "plan": None, "hint_loss": "none", "logit_loss": "none", "init": "default"},
            "`zoo:resnet8.width=0.25` has no published weights, .*name a checkpoint file",
        ),
        ({"init": "/none.pt"}, "the start checkpoint `/none.pt` does not exist; check the path"),
        (
            {"teacher_weights": "/none.pt"},
            "the teacher's checkpoint `/none.pt` does not exist; check the path",
        ),
        ({"data": "folder:/none"}, "no such folder: `/none`; expected `/none/train/<class>"),
        (
            {"weights": {"mode": "fixed", "hint": 0}},
            "the hint loss `at` has weight 0; give `--weight-hint` a value above 0 or set it to none",
        ),
        (
            {"weights": {"mode": "fixed", "logit": 0}},
            "the logit loss `kd` has weight 0; give `--weight-logit`",
        ),
        (
            {"hint_loss": "none", "pairs": [{"hint": "layer1.0", "guided": "layer1.0"}]},
            "this run has no hint loss that pairs could guide; leave `--pair` out",
        ),
        ({"mix_alpha": 0.3}, "nothing is blended in this run; leave `--mix-alpha` out"),
    ],
)
def test_what_can_be_refused_before_a_run_is(settings_for, fields: dict, message: str):
    with pytest.raises(InputError, match=message):
        check_settings(settings_for(**fields))


def test_good_settings_pass(settings_for):
    assert check_settings(settings_for()) is None
