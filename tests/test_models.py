"""Networks by name, with and without a local checkpoint; nothing is ever downloaded."""

import importlib
import json
import os
import socket
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

import pursuhint.models
from pursuhint.checkpoints import hash_weights
from pursuhint.errors import InputError
from pursuhint.heads import with_new_head
from pursuhint.models import ModelSpec, build_model, model_names, new_network, parse_spec
from pursuhint.preprocess import KNOWN, parse_preprocess
from pursuhint.zoo import build_zoo

DATA = os.environ.get("PURSUHINT_TEST_DATA")
needs_data = pytest.mark.skipif(not DATA, reason="PURSUHINT_TEST_DATA is not set: no published checkpoints")


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make any attempt to connect fail."""

    def refuse(*_: object) -> None:
        raise AssertionError("a model was about to be downloaded")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture
def teachers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An assets folder with one small built-in teacher."""
    folder = tmp_path / "teachers"
    folder.mkdir()
    save_file(build_zoo("resnet8?width=0.25", classes=10).state_dict(), folder / "digits-tiny.safetensors")
    card = {"model": "zoo:resnet8?width=0.25", "preprocess": "digits/16", "classes": list("0123456789")}
    (folder / "digits-tiny.json").write_text(json.dumps(card))
    monkeypatch.setattr(pursuhint.models, "ASSETS", tmp_path)
    return folder


def refusal(spec: str, **options) -> str:
    with pytest.raises(InputError) as caught:
        build_model(spec, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def without_timm(monkeypatch: pytest.MonkeyPatch) -> None:
    find_spec, import_module = importlib.util.find_spec, importlib.import_module

    def absent(name: str) -> object:
        if name == "timm":
            raise ModuleNotFoundError("No module named 'timm'")
        return import_module(name)

    monkeypatch.setattr(importlib, "import_module", absent)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "timm" else find_spec(name))


# Names


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("zoo:resnet56", ModelSpec("zoo", "resnet56", {})),
        (
            " zoo:resnet56?width=0.5&variant=b ",
            ModelSpec("zoo", "resnet56", {"width": "0.5", "variant": "b"}),
        ),
        ("resnet56", ModelSpec("zoo", "resnet56", {})),
        ("wrn_40_2?width=.5", ModelSpec("zoo", "wrn_40_2", {"width": ".5"})),
        ("resnet18", ModelSpec("torchvision", "resnet18", {})),
        ("digits-tiny", ModelSpec("builtin", "digits-tiny", {})),
        ("builtin:digits-tiny", ModelSpec("builtin", "digits-tiny", {})),
    ],
)
def test_names_are_looked_up(text: str, spec: ModelSpec, teachers: Path) -> None:
    assert parse_spec(text) == spec
    assert parse_spec(str(spec)) == spec


def test_bare_timm_names_are_looked_up_last() -> None:
    pytest.importorskip("timm", reason="timm is not installed")
    assert parse_spec("vit_tiny_patch16_224") == ModelSpec("timm", "vit_tiny_patch16_224", {})
    assert parse_spec("resnet18d.ra2_in1k") == ModelSpec("timm", "resnet18d.ra2_in1k", {})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("zoo:resnet65", "unknown zoo model `resnet65`: did you mean `resnet56`"),
        ("resnet65", "unknown model `resnet65`: did you mean `resnet56`"),
        ("torchvision:resnet1", "unknown torchvision model `resnet1`: did you mean `resnet18`"),
        ("torchvision:fasterrcnn_resnet50_fpn", "unknown torchvision model"),
        ("builtin:digits-tny", "unknown builtin model `digits-tny`: did you mean `digits-tiny`"),
        ("zo:resnet56", "unknown model source `zo`: did you mean `zoo`"),
        ("zoo:resnet56?width=wide", "`width` must be a number above 0"),
        ("torchvision:resnet18?width=2", "only zoo models take options such as `?width=0.5`, found"),
    ],
)
def test_bad_names(text: str, message: str, teachers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_timm(monkeypatch)
    with pytest.raises(InputError) as caught:
        parse_spec(text)
    assert message in str(caught.value)


def test_unknown_timm_names_have_a_nearest_match() -> None:
    pytest.importorskip("timm", reason="timm is not installed")
    assert "did you mean `resnet18d`" in refusal("timm:resnet18dd")
    assert "timm cannot build `resnet18.nobody`: Invalid pretrained tag" in refusal("timm:resnet18.nobody")


def test_missing_timm_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    without_timm(monkeypatch)
    expected = "timm models need the package `timm`, which is not installed; `pip install timm`"
    assert refusal("timm:vit_tiny_patch16_224") == expected


def test_unknown_source_of_names() -> None:
    with pytest.raises(
        InputError, match="unknown model source `keras`. Known: zoo, torchvision, timm, builtin"
    ):
        model_names("keras")


# New networks


@pytest.mark.parametrize(
    ("spec", "canonical"),
    [
        ("resnet20", "zoo:resnet20"),
        ("zoo:resnet20?variant=a&width=1.0", "zoo:resnet20"),
        ("zoo:resnet20?width=0.50&variant=b", "zoo:resnet20?variant=b&width=0.5"),
        ("zoo:wrn_16_1", "zoo:wrn_16_1"),
        ("torchvision:resnet18", "torchvision:resnet18"),
    ],
)
def test_new_networks(spec: str, canonical: str) -> None:
    built = build_model(spec, classes=7)
    assert (built.spec, built.classes, built.report, built.preprocess) == (canonical, 7, None, None)
    assert built.parameters == sum(p.numel() for p in built.model.parameters())
    assert built.hash == hash_weights(built.model.state_dict())
    assert not built.model.training
    assert built.model(torch.zeros(1, 3, 32, 32)).shape == (1, 7)
    again = build_model(built.spec, classes=7).model.state_dict()
    assert {k: t.shape for k, t in again.items()} == {k: t.shape for k, t in built.model.state_dict().items()}


def test_the_default_number_of_classes() -> None:
    assert build_model("zoo:resnet8").classes == 10
    assert build_model("torchvision:squeezenet1_1").classes == 1000


def test_timm_network_with_its_own_recipe(tmp_path: Path) -> None:
    pytest.importorskip("timm", reason="timm is not installed")
    new = build_model("timm:vit_tiny_patch16_224", classes=5)
    save_file(new.model.state_dict(), tmp_path / "w.safetensors")
    built = build_model("timm:vit_tiny_patch16_224", weights=tmp_path / "w.safetensors")
    assert (built.classes, built.hash, new.preprocess) == (5, new.hash, None)
    assert built.preprocess == parse_preprocess("0.5,0.5,0.5/0.5,0.5,0.5/248/224/bicubic")


# With weights


@pytest.mark.parametrize(
    "name", ["resnet8", "resnet8?variant=b", "resnet8x4", "resnet8x4?variant=a", "wrn_16_1"]
)
def test_the_keys_decide_the_variant(tmp_path: Path, name: str) -> None:
    origin = build_zoo(name, classes=6)
    torch.save(origin.state_dict(), tmp_path / "w.pt")
    built = build_model(name.partition("?")[0], weights=tmp_path / "w.pt")
    assert (built.spec, built.classes) == (f"zoo:{name}", 6)
    assert built.hash == hash_weights(origin.state_dict())
    assert built.report is not None and built.report.source == str(tmp_path / "w.pt")


def test_a_variant_in_the_name_is_obeyed(tmp_path: Path) -> None:
    torch.save(build_zoo("resnet8", classes=10).state_dict(), tmp_path / "w.pt")
    message = refusal("zoo:resnet8?variant=b", classes=10, weights=tmp_path / "w.pt")
    assert message.endswith("these are the weights of `zoo:resnet8` for 10 classes: choose that model")


def test_torchvision_weights_bring_their_recipe(tmp_path: Path) -> None:
    new = build_model("torchvision:mobilenet_v3_small", classes=4)
    path = tmp_path / "w.pth"
    torch.save({"model": new.model.state_dict()}, path)
    built = build_model("torchvision:mobilenet_v3_small", weights=path)
    assert (built.classes, built.hash) == (4, new.hash)
    assert built.preprocess == parse_preprocess("imagenet/256/224")


@pytest.mark.parametrize(("file", "resize"), [("mobilenet_v2-b0353104.pth", 256), ("mine.pth", 232)])
def test_the_published_file_name_chooses_among_recipes(tmp_path: Path, file: str, resize: int) -> None:
    torch.save(build_model("torchvision:mobilenet_v2", classes=2).model.state_dict(), tmp_path / file)
    built = build_model("torchvision:mobilenet_v2", weights=tmp_path / file)
    assert built.preprocess is not None and built.preprocess.resize == resize


@pytest.mark.parametrize(("name", "side"), [("googlenet", 64), ("inception_v3", 96)])
def test_auxiliary_heads_are_read_and_left_out(tmp_path: Path, name: str, side: int) -> None:
    """With them the output in train mode is a tuple, or they refuse images of this size."""
    import torchvision

    origin = torchvision.models.get_model(name, num_classes=5, init_weights=False).eval()
    torch.save({f"module.{key}": value for key, value in origin.state_dict().items()}, tmp_path / "w.pt")
    built, (spec, new) = build_model(name, weights=tmp_path / "w.pt"), new_network(name, classes=5)
    assert (built.spec, built.classes, built.hash) == (spec, 5, hash_weights(origin.state_dict()))
    assert (
        built.parameters
        == sum(p.numel() for p in new.parameters())
        < sum(p.numel() for p in origin.parameters())
    )
    images = torch.randn(2, 3, side, side)
    with torch.no_grad():
        assert torch.equal(built.model(images), origin(images))
        assert built.model.train()(images).shape == new.train()(images).shape == (2, 5)
    assert with_new_head(built, classes=3).model.train()(images).shape == (2, 3)
    torch.save(new.state_dict(), tmp_path / "own.pt")
    assert build_model(name, weights=tmp_path / "own.pt").hash == hash_weights(new.state_dict())


@pytest.mark.parametrize(
    ("name", "file"),
    [("googlenet", "googlenet-1378be20.pth"), ("inception_v3", "inception_v3_google-0cc3c7bd.pth")],
)
def test_published_weights_that_expect_another_scale_get_it(tmp_path: Path, name: str, file: str) -> None:
    """What torchvision does inside these networks when it loads them is part of our preprocessing."""
    import torchvision

    origin = torchvision.models.get_model(
        name, num_classes=5, init_weights=False, transform_input=True
    ).eval()
    torch.save(origin.state_dict(), tmp_path / file)
    built = build_model(name, weights=tmp_path / file)
    images = torch.randint(256, (2, 128, 128, 3), dtype=torch.uint8)
    recipe = parse_preprocess("imagenet/112/96")
    ours = replace(recipe, mean=built.preprocess.mean, std=built.preprocess.std)
    with torch.no_grad():
        found, expected = built.model(ours.apply(images)), origin(recipe.apply(images))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    torch.save(origin.state_dict(), tmp_path / "mine.pth")
    assert build_model(name, weights=tmp_path / "mine.pth").preprocess.text.startswith("imagenet/")


def test_every_torchvision_recipe_can_be_expressed() -> None:
    import torchvision

    for name in model_names("torchvision"):
        for entry in torchvision.models.get_model_weights(name):
            recipe = entry.transforms()
            text = f"imagenet/{recipe.resize_size[0]}/{recipe.crop_size[0]}/{recipe.interpolation.value}"
            assert parse_preprocess(text).crop == recipe.crop_size[0]


def test_bad_checkpoints_are_refused(tmp_path: Path) -> None:
    torch.save(build_zoo("resnet14", classes=10).state_dict(), tmp_path / "deeper.pth")
    (tmp_path / "page.pth").write_text("<html>")
    assert "of `zoo:resnet14` for 10 classes" in refusal(
        "resnet8", classes=10, weights=tmp_path / "deeper.pth"
    )
    assert "use data with 10 classes" in refusal("resnet14", classes=5, weights=tmp_path / "deeper.pth")
    assert "does not fit this ResNet" in refusal("resnet18", classes=10, weights=tmp_path / "deeper.pth")
    assert "is a web page (HTML)" in refusal("resnet8", weights=tmp_path / "page.pth")
    assert "did you mean `deeper.pth`?" in refusal("resnet8", weights=tmp_path / "deper.pth")


# Built-in teachers


def test_builtin_teacher(teachers: Path) -> None:
    built = build_model("builtin:digits-tiny")
    assert (built.spec, built.classes, built.preprocess) == (
        "builtin:digits-tiny",
        10,
        parse_preprocess("digits/16"),
    )
    assert built.hash == hash_weights(load_file(teachers / "digits-tiny.safetensors"))
    assert built.model(torch.zeros(1, 3, 16, 16)).shape == (1, 10)


def test_builtin_teacher_with_a_count_of_classes(teachers: Path) -> None:
    card = json.loads((teachers / "digits-tiny.json").read_text())
    (teachers / "digits-tiny.json").write_text(json.dumps({**card, "classes": 10}))
    assert build_model("digits-tiny", classes=10).classes == 10


def test_builtin_teacher_has_its_classes_and_weights(teachers: Path) -> None:
    assert "`builtin:digits-tiny` tells 10 classes apart, asked for 100" in refusal(
        "digits-tiny", classes=100
    )
    message = refusal("digits-tiny", weights=Path("w.pt"))
    assert (
        message
        == "`builtin:digits-tiny` brings its own weights, found `w.pt` beside it; leave the weights out"
    )


def test_names_of_builtin_teachers(teachers: Path) -> None:
    assert model_names("builtin") == ("digits-tiny",)


# Published weights


def cifar10_test_images(each: int) -> tuple[np.ndarray, np.ndarray]:
    """The first images of every class, read from the sprite sheets: (N, 32, 32, 3) and labels."""
    sheets = sorted((Path(DATA) / "data" / "cifar10" / "test").glob("*.webp"))
    images = []
    for path in sheets:
        sheet = np.asarray(Image.open(path).convert("RGB"))
        tiles = sheet.reshape(sheet.shape[0] // 32, 32, sheet.shape[1] // 32, 32, 3).transpose(0, 2, 1, 3, 4)
        images.append(tiles.reshape(-1, 32, 32, 3)[:each])
    return np.concatenate(images), np.repeat(np.arange(len(sheets)), each)


@needs_data
def test_published_accuracy_is_reproduced() -> None:
    built = build_model("zoo:resnet20", weights=Path(DATA) / "weights" / "resnet20.th")
    images, labels = cifar10_test_images(50)
    with torch.inference_mode():
        batches = [built.model(KNOWN["imagenet"].apply(part)) for part in np.split(images, 10)]
    accuracy = (torch.cat(batches).argmax(1).numpy() == labels).mean()
    # Published: 91.73 % on all 10,000 test images. The standard error on 500 of them is 1.23 %.
    assert abs(accuracy - 0.9173) < 3 * 0.0123


@needs_data
def test_a_published_checkpoint_of_another_depth_is_named() -> None:
    message = refusal("zoo:resnet56", classes=10, weights=Path(DATA) / "weights" / "resnet32.th")
    assert message.endswith("these are the weights of `zoo:resnet32` for 10 classes: choose that model")
