from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from pursuhint.errors import InputError
from pursuhint.losses import Batch
from pursuhint.pairs import Pair
from pursuhint.training import beginning, prepare
from pursuhint.training.distiller import Distiller, run_network
from pursuhint.training.prepare import build_distiller, load_parts
from tests.tiny import STUDENT, TEACHER


def test_the_parts_are_those_of_the_settings(settings_for, tiny_plan):
    parts = load_parts(settings_for())
    assert parts.student.spec == STUDENT
    assert parts.teacher.spec == TEACHER
    assert parts.teacher.hash == tiny_plan.teacher.hash
    assert [pair.hint for pair in parts.pairs] == list(tiny_plan.hint_points)
    assert [pair.guided for pair in parts.pairs] == ["layer1.0", "layer2.0", "layer3.0"]
    assert parts.augmentation == "affine"


def test_the_pair_table_holds_the_shapes_and_how_they_meet(settings_for):
    pair = {"hint": "layer3.0", "guided": "layer2.0"}
    rows = load_parts(settings_for(pairs=(pair,), hint_loss="fitnet")).pair_table()
    assert [(row["hint"], row["guided"]) for row in rows[:2]] == [
        ("layer1.0", "layer1.0"),
        ("layer2.0", "layer2.0"),
    ]
    assert rows[2:] == [
        pair
        | {"hint_shape": [32, 2, 2], "guided_shape": [8, 4, 4]}
        | {
            "adapter": "1x1 convolution 8 -> 32 + batch norm, guided pooled 4x4 -> 2x2",
            "adapter_parameters": 8 * 32 + 2 * 32,
        }
    ]


def test_the_plans_own_pairs_are_taken(settings_for, tiny_plan):
    planned = (Pair("layer2.0", "layer1.0"), Pair("layer3.0", "layer1.0"))
    plan = tiny_plan.model_copy(update={"pairs": planned})
    assert load_parts(settings_for(plan=plan)).pairs == (Pair("layer1.0", "layer1.0"), *planned)
    given = Pair("layer3.0", "layer2.0")
    parts = load_parts(settings_for(plan=plan, pairs=(given,)))
    assert parts.pairs == (Pair("layer1.0", "layer1.0"), planned[0], given)


def test_overrides_of_the_plan_are_obeyed(settings_for, tiny_plan):
    parts = load_parts(settings_for(plan=tiny_plan.toggled("layer2.1")))
    assert [pair.hint for pair in parts.pairs] == ["layer1.0", "layer2.0", "layer2.1", "layer3.0"]


def test_without_hints_there_are_no_pairs(settings_for):
    assert load_parts(settings_for(hint_loss="none")).pairs == ()


class Twice(nn.Module):
    """One ReLU module, called twice."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.relu, self.head = nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Linear(4, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.relu(self.relu(self.conv(x)) - 1).mean(dim=(2, 3)))


def test_a_later_call_of_a_module_can_be_a_hint_point(settings_for, tiny_plan, tiny_teacher, monkeypatch):
    monkeypatch.setattr(prepare, "load_teacher", lambda *_, **__: replace(tiny_teacher, model=Twice()))
    layer = "relu#2"
    plan = tiny_plan.model_copy(update={"layers": (layer,), "centres": (layer,), "clusters": ((layer,),)})
    (row,) = load_parts(settings_for(plan=plan, allow_weak_teacher=True)).pair_table()
    assert (row["hint"], row["hint_shape"]) == ("relu#2", [4, 6, 6])


def test_a_layer_inside_of_a_candidate_can_be_guided(settings_for):
    parts = load_parts(settings_for(pairs=({"hint": "layer2.0", "guided": "layer2.0.conv1"},)))
    assert [pair.guided for pair in parts.pairs] == ["layer1.0", "layer2.0.conv1", "layer3.0"]
    assert parts.pair_table()[1]["guided_shape"] == [8, 4, 4]


class Words(nn.Module):
    """Puts out no tensor."""

    def forward(self, x: torch.Tensor) -> str:
        return "words"


class Talking(Twice):
    """Has a module without a tensor, and one that is never called."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.idle = Words(), nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.words(x)
        return super().forward(x)


@pytest.mark.parametrize("layer", ["words", "idle"])
def test_a_guided_layer_that_cannot_imitate_is_refused(settings_for, monkeypatch, layer: str):
    build = beginning.build_model
    monkeypatch.setattr(
        beginning, "build_model", lambda *_, **more: replace(build(*_, **more), model=Talking())
    )
    message = f"the guided layer `{layer}` puts out no tensor for an image, or is never called; choose one of"
    with pytest.raises(InputError, match=message):
        load_parts(settings_for(pairs=({"hint": "layer1.0", "guided": layer},)))


def test_a_teacher_at_chance_level_is_refused_before_the_start(settings_for, tiny_teacher, monkeypatch):
    """Twice is untrained; twice chance level is what a teacher has to reach."""
    monkeypatch.setattr(prepare, "load_teacher", lambda *_, **__: replace(tiny_teacher, model=Twice()))
    with pytest.raises(InputError, match="near chance .* allow it with `--allow-weak-teacher`"):
        load_parts(settings_for(hint_loss="none"))
    parts = load_parts(settings_for(hint_loss="none", allow_weak_teacher=True))
    assert 0 <= parts.teacher_accuracy < 0.2


def test_a_student_that_is_not_smaller_is_remarked_on(settings_for):
    assert load_parts(settings_for()).remarks() == []
    assert load_parts(settings_for(student=TEACHER)).remarks() == []
    (remark,) = load_parts(settings_for(student="zoo:resnet14?width=0.6")).remarks()
    assert remark.startswith("the student is larger than its teacher: `zoo:resnet14?width=0.6` has 61,759 ")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"augmentation": "mixup"}, "unknown augmentation `mixup`"),
        ({"student": "zoo:resnet9"}, "unknown zoo model `resnet9`"),
        ({"data": "digit"}, "unknown data set `digit`: did you mean `digits`"),
        ({"preprocess": "digit"}, "unknown preprocess `digit`: did you mean `digits`"),
        ({"pairs": ({"hint": "layer9", "guided": "layer1.0"},)}, "unknown hint point in a pair `layer9`"),
        (
            {"pairs": ({"hint": "layer1.0", "guided": "layer1.9"},)},
            "unknown guided layer in a pair `layer1.9`: did you mean `layer1.0`",
        ),
        (
            {
                "pairs": (
                    {"hint": "layer2.0", "guided": "layer3.0"},
                    {"hint": "layer3.0", "guided": "layer1.0"},
                )
            },
            "the pairs `layer2.0->layer3.0` and `layer3.0->layer1.0` cross",
        ),
    ],
)
def test_what_does_not_fit_is_refused(settings_for, fields: dict, message: str):
    with pytest.raises(InputError, match=message):
        load_parts(settings_for(**fields))


def test_data_with_other_classes_than_the_teachers_are_refused(settings_for, tiny_plan):
    teacher = tiny_plan.teacher.model_copy(update={"classes": 7})
    plan = tiny_plan.model_copy(update={"teacher": teacher})
    with pytest.raises(
        InputError, match="the plan's teacher tells 7 classes apart, `digits` has 10; use the data"
    ):
        load_parts(settings_for(plan=plan))


def test_other_weights_than_the_plans_are_refused(settings_for, tiny_weights: Path, tmp_path: Path):
    from safetensors.torch import load_file, save_file

    tensors = load_file(tiny_weights)
    tensors["bn1.bias"] += 1e-3
    save_file(tensors, tmp_path / "other.safetensors")
    with pytest.raises(InputError, match="this plan was made for another teacher: expected weights"):
        load_parts(settings_for(teacher_weights=str(tmp_path / "other.safetensors")))


def test_a_moved_checkpoint_is_accepted(settings_for, tiny_weights: Path, tmp_path: Path):
    moved = tmp_path / "moved.safetensors"
    moved.write_bytes(tiny_weights.read_bytes())
    assert load_parts(settings_for(teacher_weights=str(moved))).teacher.weights == moved


def test_preparing_builds_regressors_and_leaves_the_student(settings_for):
    settings = settings_for(hint_loss="fitnet")
    parts = load_parts(settings)
    distiller = build_distiller(settings, parts)
    assert isinstance(distiller, Distiller)
    before = {k: v.clone() for k, v in parts.student.model.state_dict().items()}
    images = torch.randn(4, 3, 8, 8)
    teacher = run_network(parts.teacher.model, images, [pair.hint for pair in parts.pairs])
    batch = Batch(images, torch.arange(4), torch.arange(4))
    distiller.student.train()
    distiller.prepare(batch, teacher)
    assert distiller.student.training
    assert all(torch.equal(v, before[k]) for k, v in parts.student.model.state_dict().items())
    widths = [(r[0].in_channels, r[0].out_channels) for r in distiller.losses[-1].regressors]
    assert widths == [(4, 8), (8, 16), (16, 32)]
