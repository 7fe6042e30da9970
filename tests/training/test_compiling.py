"""Compiled networks: the same training, the same names, and a run that goes on where nothing compiles."""

from __future__ import annotations

import copy
from contextlib import nullcontext

import pytest
import torch
from torch import nn

from pursuhint.training import compiling
from pursuhint.training.checkpoint import checkpoints
from pursuhint.training.compiling import CompiledBlocks, Compiler, blocks_to_compile
from pursuhint.zoo import build_zoo


@pytest.fixture
def graphs(monkeypatch) -> list[torch.fx.GraphModule]:
    """What was compiled, by a compiler that needs no C++: it runs the captured operations one by one."""
    seen: list[torch.fx.GraphModule] = []

    def backend(graph: torch.fx.GraphModule, example_inputs: list) -> object:
        seen.append(graph)
        return graph.forward

    torch._dynamo.reset()
    monkeypatch.setattr(compiling, "BACKEND", backend)
    return seen


@pytest.fixture
def broken(monkeypatch) -> None:
    def backend(*_: object) -> object:
        raise RuntimeError("no C++ compiler\nand more about it")

    torch._dynamo.reset()
    monkeypatch.setattr(compiling, "BACKEND", backend)


def test_a_compiled_run_is_the_plain_one(train, settings_for, graphs):
    plain = train(settings_for(ema=0.5), folder="plain")
    assert not graphs
    both = train(settings_for(ema=0.5, compile="both"), folder="both")
    assert graphs and both.of("warning") == plain.of("warning")
    for found, expected in zip(both.of("step"), plain.of("step"), strict=True):
        assert found["raw"] == pytest.approx(expected["raw"], rel=1e-4)
    assert both.student.keys() == plain.student.keys()
    kept = [torch.load(checkpoints(one.trainer.folder)[-1], weights_only=True) for one in (both, plain)]
    for state in ("distiller", "average"):
        assert kept[0][state].keys() == kept[1][state].keys()
    teacher = both.trainer.parts.teacher.model
    assert all("forward" not in vars(module) for module in teacher.modules())
    assert all("forward" not in vars(module) for module in both.trainer.distiller.student.modules())
    before = plain.trainer.parts.teacher.model.state_dict()
    assert all(torch.equal(value, before[name]) for name, value in teacher.state_dict().items())


def test_a_compiled_run_resumes_as_if_it_had_not_stopped(train, settings_for, graphs):
    settings = settings_for(compile="both")
    whole = train(settings, folder="whole")
    train(settings, folder="parts", stop_after=4)
    rest = train(settings, folder="parts")
    assert rest.of("final") == whole.of("final") and rest.of("epoch") == whole.of("epoch")[1:]
    assert all(torch.equal(value, whole.student[name]) for name, value in rest.student.items())


def test_the_teacher_alone_can_be_compiled(train, settings_for, graphs):
    trainer = train(settings_for(epochs=1, compile="teacher")).trainer
    assert graphs and isinstance(trainer.distiller.compiled, nullcontext)


def test_without_a_compiler_a_run_goes_on_with_one_warning(train, settings_for, broken):
    plain = train(settings_for(epochs=1), folder="plain")
    found = train(settings_for(epochs=1, compile="both"), folder="both")
    (warning,) = found.of("warning")
    assert warning["text"].startswith(
        "the networks run as they are, uncompiled, because torch.compile failed"
    )
    assert "no C++ compiler" in warning["text"] and "and more" not in warning["text"]
    assert warning["text"].endswith("install a C++ compiler (Triton for a GPU) or leave `--compile` out")
    assert found.of("step") == plain.of("step")
    assert all(torch.equal(value, plain.student[name]) for name, value in found.student.items())


def test_running_out_of_memory_is_no_lack_of_a_compiler():
    def trial(_: object) -> None:
        raise torch.OutOfMemoryError("out of memory")

    compiler = Compiler(lambda text: pytest.fail(text))
    with pytest.raises(torch.OutOfMemoryError):
        compiler.compile(build_zoo("resnet8", classes=10), (3, 8, 8), [], trial)


@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
def test_a_network_is_as_it_was_outside_and_its_copies_are_plain(graphs, monkeypatch, backend: str):
    def seen(graph: torch.fx.GraphModule, example_inputs: list) -> object:
        graphs.append(graph)
        return torch._dynamo.lookup_backend(backend)(graph, example_inputs)

    monkeypatch.setattr(compiling, "BACKEND", seen)
    model, images = build_zoo("resnet8", classes=10).eval(), torch.randn(2, 3, 8, 8)
    names, expected = list(model.state_dict()), model(images)
    with CompiledBlocks(model, blocks_to_compile(model, (3, 8, 8), [])):
        assert list(model.state_dict()) == names
        found = model(images)
    assert graphs
    slopes = [torch.autograd.grad(y.square().sum(), list(model.parameters())) for y in (found, expected)]
    torch.testing.assert_close((found, *slopes[0]), (expected, *slopes[1]))
    twin = copy.deepcopy(model)
    nn.init.zeros_(twin.linear.weight)
    nn.init.zeros_(twin.linear.bias)
    assert not twin(images).any() and torch.equal(model(images), expected)


def test_a_block_with_a_recorded_layer_inside_is_left_alone():
    model = build_zoo("resnet8", classes=10)
    assert blocks_to_compile(model, (3, 8, 8), ["layer3.0"]) == ["layer1.0", "layer2.0", "layer3.0"]
    assert blocks_to_compile(model, (3, 8, 8), ["layer2.0.bn1#2"]) == ["layer1.0", "layer3.0"]


@pytest.mark.slow
def test_the_real_compiler(train, settings_for):
    """Whether it is there or not, the run ends with the figures of the plain one."""
    plain = train(settings_for(epochs=1), folder="plain")
    found = train(settings_for(epochs=1, compile="both"), folder="both")
    for step, expected in zip(found.of("step"), plain.of("step"), strict=True):
        assert step["raw"] == pytest.approx(expected["raw"], rel=1e-3)
