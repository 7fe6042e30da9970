"""Trainings that begin with trained weights: what is taken over, what is new, what stays still."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from pursuhint.data import load_data
from pursuhint.errors import InputError
from pursuhint.heads import head_names
from pursuhint.models import build_model
from pursuhint.training.beginning import begin, with_fitting_preprocess
from pursuhint.training.settings import make_settings
from tests.tiny import FAST, TEACHER
from tests.training.test_resume import assert_equal_runs

HEAD = ("linear.weight", "linear.bias")


@pytest.fixture(scope="module")
def seven(tmp_path_factory) -> Path:
    """A checkpoint of a network that tells seven classes apart, with statistics of its own."""
    model = build_model(TEACHER, classes=7).model
    for name, value in model.state_dict().items():
        if name.endswith("running_mean"):
            value.normal_()
    path = tmp_path_factory.mktemp("weights") / "seven.pt"
    torch.save(model.state_dict(), path)
    return path


@pytest.fixture
def settings(seven):
    """Settings of a training that begins with that checkpoint: ``settings(trunk_rate=0)``."""

    def build(**fields):
        given = {"student": TEACHER, "data": "digits", "preprocess": "digits", "init": str(seven)}
        return make_settings(kind="train", **given | FAST | fields)

    return build


def test_another_number_of_classes_gets_a_new_head_on_the_same_trunk(settings, seven):
    beginning = begin(settings(), 10)
    before, after = torch.load(seven, weights_only=True), beginning.network.model.state_dict()
    assert [name for name in after if not torch.equal(after[name], before[name])] == [*HEAD]
    assert after["linear.weight"].shape == (10, 32) and beginning.head == HEAD
    assert beginning.network.parameters == build_model(TEACHER, classes=10).parameters
    facts = beginning.facts()
    assert (facts["weights"], facts["classes_before"], facts["replaced"]) == (str(seven), 7, [*HEAD])
    assert "a new head (linear.weight, linear.bias) with 10 outputs in place of 7" in facts["text"]
    again = begin(settings(), 10).network
    assert again.hash == beginning.network.hash != begin(settings(seed=4), 10).network.hash


def test_the_same_number_keeps_the_head(settings, seven):
    beginning = begin(settings(trunk_rate=0), 7)
    before, after = torch.load(seven, weights_only=True), beginning.network.model.state_dict()
    assert all(torch.equal(after[name], value) for name, value in before.items())
    assert beginning.facts()["replaced"] == []
    assert "its head (linear.weight, linear.bias) is kept" in beginning.text
    assert f"only the head is trained, {32 * 7 + 7:,} of" in beginning.text


def test_random_weights_are_those_of_the_seed(settings):
    beginning = begin(settings(init=None), 10)
    torch.manual_seed(FAST["seed"])
    assert beginning.network.hash == build_model(TEACHER, classes=10).hash
    assert beginning.facts() is None


def test_a_frozen_trunk_is_bit_identical_after_training_and_the_head_learns(train, settings, seven):
    recorded = train(settings(trunk_rate=0, epochs=3, learning_rate=0.01))
    before, after = torch.load(seven, weights_only=True), recorded.student
    assert [name for name in after if not torch.equal(after[name], before[name])] == [*HEAD]
    losses = [epoch["validation_cross_entropy"] for epoch in recorded.of("epoch")]
    assert losses[-1] < losses[0]
    recorded.trainer.distiller.train()
    awake = [name for name, one in recorded.trainer.distiller.student.named_modules() if one.training]
    assert awake == ["linear"]


def test_a_linear_probe_is_one_of_fixed_features(train, settings, seven):
    """A first step written out anew: softmax regression on what the trunk of the file puts out."""
    run = settings(trunk_rate=0, epochs=1, batch_size=96, warmup=0, momentum=0, schedule="constant")
    start = begin(run, 10).network.model.eval()
    weight, bias = (start.state_dict()[name].double() for name in HEAD)
    recorded = train(run)
    (batch,) = recorded.trainer.batches.parts(0, 0)
    features = []
    start.linear.register_forward_pre_hook(lambda _, given: features.append(given[0].double()))
    with torch.no_grad():
        start(batch.images)
    (given,) = features
    error = torch.softmax(given @ weight.T + bias, dim=1) - torch.eye(10).double()[batch.labels]
    expected = weight - run.learning_rate * (error.T @ given / len(given) + run.weight_decay * weight)
    torch.testing.assert_close(recorded.student["linear.weight"].double(), expected, rtol=1e-4, atol=1e-6)


def test_a_slower_trunk_takes_smaller_steps(train, settings):
    run = {"epochs": 1, "batch_size": 96, "warmup": 0, "momentum": 0, "schedule": "constant"}
    start = begin(settings(), 10).network.model.state_dict()
    whole, slow = (train(settings(trunk_rate=rate, **run), folder=str(rate)).student for rate in (1, 0.1))
    learnt = [name for name in start if name.endswith(("weight", "bias"))]
    for name in learnt:
        share = 1.0 if name in HEAD else 0.1
        expected = start[name] + share * (whole[name] - start[name])
        torch.testing.assert_close(slow[name], expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("rate", [0.0, 0.1])
def test_resume_equals_uninterrupted(train, settings, rate: float):
    run = settings(trunk_rate=rate)
    whole = train(run, folder="whole")
    assert_equal_runs([train(run, stop_after=n) for n in (1, 3)] + [train(run)], whole)


def test_the_preprocessing_is_that_of_the_weights(settings, seven, tiny_weights):
    data = load_data("fake")
    fitting = lambda **fields: with_fitting_preprocess(settings(**fields), data).preprocess  # noqa: E731
    assert fitting(preprocess="auto", init=None) == data.preprocess == "cifar10"
    assert fitting(preprocess="auto", init=str(seven)) == "cifar10"  # a bare file says nothing
    assert fitting(preprocess="auto", init=str(tiny_weights)) == "digits"  # its card does
    assert fitting(preprocess="imagenet", init=str(tiny_weights)) == "imagenet"


def test_published_weights_are_found_in_torch_s_cache(settings, monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    model = build_model("torchvision:squeezenet1_1", classes=1000).model
    path = tmp_path / "hub" / "checkpoints" / "squeezenet1_1-b8a52dc0.pth"
    path.parent.mkdir(parents=True)
    torch.save(model.state_dict(), path)
    run = settings(student="torchvision:squeezenet1_1", init="default", preprocess="auto")
    beginning = begin(run, 10)
    assert beginning.weights == path and beginning.classes_before == 1000
    assert beginning.head == ("classifier.1.weight", "classifier.1.bias")
    assert torch.equal(beginning.network.model.features[0].weight, model.features[0].weight)
    assert with_fitting_preprocess(run, load_data("digits")).preprocess == "imagenet/256/224"


def test_published_weights_that_cannot_be_fetched_say_where_they_belong(settings, monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))

    def unreachable(*_, **__):
        raise OSError("Network is unreachable")

    monkeypatch.setattr("torch.hub.download_url_to_file", unreachable)
    with pytest.raises(
        InputError, match="are not at `.*alexnet.*pth` .*unreachable.*name it with `--weights`"
    ):
        begin(settings(student="torchvision:alexnet", init="default"), 10)
    monkeypatch.setattr("huggingface_hub.hf_hub_download", unreachable)
    with pytest.raises(InputError, match="`timm:vit_tiny_patch16_224` are not in the hub's cache .*unreach"):
        begin(settings(student="timm:vit_tiny_patch16_224", init="default"), 10)


@pytest.mark.parametrize(
    ("spec", "head"),
    [
        ("torchvision:vgg11", ("classifier.6.weight", "classifier.6.bias")),
        ("torchvision:vit_b_16", ("heads.head.weight", "heads.head.bias")),
        ("timm:vit_tiny_patch16_224", ("head.weight", "head.bias")),
        ("zoo:resnet20?variant=b", ("fc.weight", "fc.bias")),
    ],
)
def test_the_head_is_what_the_classes_decide(spec: str, head: tuple[str, ...]):
    assert head_names(spec, classes=5) == head
