"""Reading weight files, fitting them to a model, identifying them."""

import collections
import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from pursuhint.checkpoints import (
    Weights,
    fit_weights,
    hash_weights,
    infer_classes,
    infer_variant,
    read_weights,
)
from pursuhint.errors import InputError
from pursuhint.zoo import build_zoo

DATA = os.environ.get("PURSUHINT_TEST_DATA")


def tensors(seed: int = 0) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {
        "fc.weight": torch.randn(3, 2, generator=generator),
        "fc.bias": torch.randn(3, generator=generator),
    }


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_weights(path)
    message = str(caught.value)
    assert str(path) in message and "\n" not in message
    return message


class Bomb:
    """Unpickled by an ordinary unpickler, this makes a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


# Reading


@pytest.mark.parametrize("name", ["w.pt", "w.pth", "w.th", "w.bin", "w.tar", "w.ckpt", "without-an-ending"])
@pytest.mark.parametrize("zipped", [True, False])
def test_torch_files_read_back_bit_for_bit(tmp_path: Path, name: str, zipped: bool) -> None:
    torch.save(tensors(), tmp_path / name, _use_new_zipfile_serialization=zipped)
    weights = read_weights(tmp_path / name)
    assert weights.keys() == tensors().keys()
    assert all(torch.equal(weights[key], tensor) for key, tensor in tensors().items())


@pytest.mark.parametrize("extra", range(0, 160, 8))
def test_safetensors_read_back_whatever_the_first_byte(tmp_path: Path, extra: int) -> None:
    # The file starts with the header's length, which may look like a pickle (0x80) or a zip (`PK`).
    save_file(tensors(), tmp_path / "w.safetensors", metadata={"note": "x" * extra})
    assert hash_weights(read_weights(tmp_path / "w.safetensors")) == hash_weights(tensors())


@pytest.mark.parametrize("entry", ["state_dict", "model", "net", "model_state", "ema"])
def test_wrappers_are_opened_and_said(tmp_path: Path, entry: str) -> None:
    torch.save({"epoch": 3, entry: collections.OrderedDict(tensors()), "lr": 0.1}, tmp_path / "w.pt")
    weights = read_weights(tmp_path / "w.pt")
    assert weights.keys() == tensors().keys()
    assert weights.notes == (f"taken from the entry `{entry}`; left aside: `epoch`, `lr`",)


def test_the_plain_weights_go_before_the_averaged_ones(tmp_path: Path) -> None:
    torch.save({"ema": tensors(1), "model": tensors(0)}, tmp_path / "w.pt")
    weights = read_weights(tmp_path / "w.pt")
    assert torch.equal(weights["fc.bias"], tensors(0)["fc.bias"])
    assert weights.notes == ("taken from the entry `model`; left aside: `ema`",)


def test_wrappers_inside_wrappers(tmp_path: Path) -> None:
    torch.save({"model": {"state_dict": tensors()}}, tmp_path / "w.pt")
    assert read_weights(tmp_path / "w.pt").notes == (
        "taken from the entry `model`",
        "taken from the entry `state_dict`",
    )


def test_parameters_and_other_number_formats_are_weights(tmp_path: Path) -> None:
    torch.save({"a": nn.Parameter(torch.ones(2)), "b": torch.ones(2).bfloat16()}, tmp_path / "w.pt")
    assert read_weights(tmp_path / "w.pt").keys() == {"a", "b"}


# Refusing


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_with_code_is_refused_and_not_run(tmp_path: Path, zipped: bool) -> None:
    path, folder = tmp_path / "evil.pth", tmp_path / "made-by-the-pickle"
    torch.save({"state_dict": tensors(), "x": Bomb(folder)}, path, _use_new_zipfile_serialization=zipped)
    message = refusal(path)
    assert (
        "holds more than plain weights: it asks for `posix.mkdir`, and no code from a file is run" in message
    )
    assert "save the plain weights again" in message
    assert not folder.exists()


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_bare_pickle_is_refused_and_not_run(tmp_path: Path, protocol: int) -> None:
    path, folder = tmp_path / "evil.pt", tmp_path / "made-by-the-pickle"
    path.write_bytes(pickle.dumps(Bomb(folder), protocol=protocol))
    refusal(path)
    assert not folder.exists()
    pickle.loads(path.read_bytes())  # the bomb is live: an ordinary unpickler does run it
    assert folder.exists()


def test_a_whole_pickled_model_is_refused(tmp_path: Path) -> None:
    torch.save(nn.Linear(2, 2), tmp_path / "w.pt")
    assert "it asks for `torch.nn.modules.linear.Linear`" in refusal(tmp_path / "w.pt")


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.99])
@pytest.mark.parametrize("kind", ["zip", "legacy", "safetensors"])
def test_a_truncated_file_is_refused(tmp_path: Path, kind: str, share: float) -> None:
    path = tmp_path / "w"
    weights = {"fc.weight": torch.zeros(64, 64), "fc.bias": torch.zeros(64)}
    if kind == "safetensors":
        save_file(weights, path)
    else:
        torch.save(weights, path, _use_new_zipfile_serialization=kind == "zip")
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    assert f"is cut short or damaged ({path.stat().st_size:,} bytes); download or copy it again" in refusal(
        path
    )


def test_flipped_bytes_never_raise_anything_else(tmp_path: Path) -> None:
    path, random = tmp_path / "w.pt", np.random.default_rng(0)
    torch.save(tensors(), path, _use_new_zipfile_serialization=False)
    whole = np.frombuffer(path.read_bytes(), np.uint8)
    refused = 0
    for _ in range(40):
        damaged = whole.copy()
        damaged[random.integers(2, len(whole), 4)] = random.integers(0, 256, 4)
        path.write_bytes(damaged.tobytes())
        try:
            read_weights(path)
        except InputError:
            refused += 1
    assert refused > 20


def zip_of_arrays(path: Path) -> None:
    np.savez(path.open("wb"), x=np.ones(3))


def torchscript(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("m/constants.pkl", b"\x80\x02).")
        archive.writestr("m/data.pkl", b"\x80\x02}.")
        archive.writestr("m/version", b"3\n")


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda path: path.write_bytes(b""), "is empty (0 bytes); download or copy it again"),
        (lambda path: path.mkdir(), "must be a weight file, found a folder; name the file inside it"),
        (lambda path: os.mkfifo(path), "must be a weight file, found a device or pipe; name a file"),
        (lambda path: path.write_text("\n<!DOCTYPE html><p>Not found"), "is a web page (HTML), not weights"),
        (lambda path: path.write_text("<html></html>"), "is a web page (HTML), not weights"),
        (lambda path: path.write_text("version https://git-lfs.github.com/spec/v1"), "is a Git LFS pointer"),
        (lambda path: path.write_bytes(b"\x89HDF\r\n\x1a\n"), r"found b'\x89HDF\r\n\x1a\n' at its start"),
        (lambda path: path.write_bytes(b"8"), "must be a safetensors or torch weight file, found b'8'"),
        (zip_of_arrays, "is a pickle or archive, but not of plain weights"),
        (torchscript, "is a TorchScript program, not plain weights"),
        (lambda path: torch.save({}, path), "must hold names and tensors, found an empty dict"),
        (lambda path: torch.save([torch.ones(1)], path), "must hold names and tensors, found a list"),
        (lambda path: torch.save({"epoch": 3, "best": 0.5}, path), "found `epoch` (int), `best` (float)"),
        (lambda path: torch.save({f"{i}": i for i in range(9)}, path), "`4` (int), and 4 more;"),
        (lambda path: torch.save({"w": torch.tensor([1, torch.nan])}, path), "`w` holds NaN or infinite"),
        (lambda path: torch.save({"w": torch.tensor([torch.inf])}, path), "`w` holds NaN or infinite"),
    ],
)
def test_what_is_no_weight_file_is_refused_with_the_reason(tmp_path: Path, write, message: str) -> None:
    path = tmp_path / "given"
    write(path)
    assert message in refusal(path)


def test_a_missing_file_names_its_nearest_neighbour(tmp_path: Path) -> None:
    (tmp_path / "resnet56.th").touch()
    message = refusal(tmp_path / "resnet65.th")
    assert message.startswith("no such weight file") and "did you mean `resnet56.th`?" in message
    assert "check the path" in refusal(tmp_path / "no-folder" / "resnet56.th")


def test_a_path_through_a_file_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "Not a directory; check the path and its rights" in refusal(tmp_path / "file" / "w.pt")


# Fitting


@pytest.mark.parametrize(
    "prefix", ["", "module.", "model.", "_orig_mod.", "module._orig_mod.", "teacher.net."]
)
def test_any_common_prefix_is_stripped(prefix: str) -> None:
    origin, model = build_zoo("resnet8", classes=10), build_zoo("resnet8", classes=10)
    wrapped = {prefix + name: tensor for name, tensor in origin.state_dict().items()}
    report = fit_weights(model, wrapped, source="w.pt")
    assert (report.prefix, report.matched) == (prefix, len(wrapped))
    assert (report.missing, report.unexpected, report.renamed) == ((), (), {})
    assert hash_weights(model.state_dict()) == hash_weights(origin.state_dict())


def test_the_report_says_everything(tmp_path: Path) -> None:
    origin = build_zoo("resnet8", classes=10).state_dict()
    kept = {f"module.{k}": t.double() for k, t in origin.items() if "num_batches" not in k}
    kept = {k.replace("linear", "fc"): t for k, t in kept.items()}
    torch.save({"net": kept, "acc": 0.9}, tmp_path / "w.pt")
    report = fit_weights(build_zoo("resnet8", classes=10), read_weights(tmp_path / "w.pt"), source="w.pt")
    assert str(report) == (
        "w.pt: all 37 tensors loaded; prefix `module.` stripped; 2 renamed (`module.fc.weight` -> "
        "`linear.weight`, `module.fc.bias` -> `linear.bias`); 7 batch counters absent (not read in "
        "evaluation); taken from the entry `net`; left aside: `acc`; number format converted from "
        "torch.float64"
    )
    assert len(report.missing) == 7 and all(name.endswith("num_batches_tracked") for name in report.missing)


def test_shortcuts_of_other_code_bases_are_renamed() -> None:
    origin, model = (build_zoo("resnet8", classes=10, variant="b") for _ in range(2))
    other = {name.replace("downsample", "shortcut"): t for name, t in origin.state_dict().items()}
    assert len(fit_weights(model, other, source="w").renamed) == 12
    assert hash_weights(model.state_dict()) == hash_weights(origin.state_dict())


def test_the_old_names_of_torchvisions_densenet_are_renamed() -> None:
    model = nn.ModuleDict({"denselayer1": nn.ModuleDict({"norm1": nn.BatchNorm2d(2)})})
    old = {name.replace("norm1", "norm.1"): tensor for name, tensor in model.state_dict().items()}
    assert len(fit_weights(model, old, source="w").renamed) == 5


def misfit(name: str, weights: dict[str, torch.Tensor]) -> str:
    model = build_zoo(name, classes=10)
    before = hash_weights(model.state_dict())
    with pytest.raises(InputError) as caught:
        fit_weights(model, Weights(weights), source="given.pth")
    assert hash_weights(model.state_dict()) == before, "a refused checkpoint must leave the model as it was"
    return str(caught.value)


def test_another_number_of_classes_is_said() -> None:
    message = misfit("resnet8", build_zoo("resnet8", classes=100).state_dict())
    assert message == (
        "`given.pth` does not fit `zoo:resnet8`: 2 tensors of another shape (linear.weight: [100, 64] "
        "instead of [10, 64], linear.bias: [100] instead of [10]); the checkpoint tells 100 classes apart, "
        "the model 10: use data with 100 classes"
    )


def test_another_number_of_classes_under_another_head_name_is_said() -> None:
    weights = {
        k.replace("linear", "fc"): t for k, t in build_zoo("resnet8", classes=100).state_dict().items()
    }
    assert "the checkpoint tells 100 classes apart, the model 10" in misfit("resnet8", weights)


@pytest.mark.parametrize(
    "other", ["resnet14", "resnet8?variant=b", "resnet8?width=0.5", "wrn_16_1", "resnet8x4"]
)
def test_another_zoo_model_is_named(other: str) -> None:
    weights = {f"module.{k}": t for k, t in build_zoo(other, classes=10).state_dict().items()}
    message = misfit("resnet8", weights)
    assert message.startswith("`given.pth` does not fit `zoo:resnet8`: ")
    assert message.endswith(f"these are the weights of `zoo:{other}` for 10 classes: choose that model")


def test_counts_and_first_names_are_given() -> None:
    message = misfit("resnet14", build_zoo("resnet8", classes=10).state_dict())
    assert (
        "30 tensors missing (layer1.1.conv1.weight, layer1.1.bn1.weight, layer1.1.bn1.bias, and 27 more)"
        in message
    )


def test_a_missing_head_is_said() -> None:
    weights = build_zoo("resnet8", classes=10).state_dict()
    message = misfit("resnet8", {k: t for k, t in weights.items() if "linear" not in k})
    assert (
        "2 tensors missing (linear.weight, linear.bias); the body is the model's but the classifier"
        in message
    )


def test_left_over_tensors_are_refused() -> None:
    weights = build_zoo("resnet8", classes=10).state_dict()
    message = misfit("resnet8", {**weights, "projector.weight": torch.zeros(1)})
    assert "1 tensor left over (projector.weight); part of it agrees" in message


def test_nothing_is_dropped_when_two_names_meet_under_the_prefix() -> None:
    weights = build_zoo("resnet8", classes=10).state_dict()
    both = {**{f"module.{k}": t for k, t in weights.items()}, "linear.bias": torch.zeros(10)}
    assert "1 tensor left over (linear.bias)" in misfit("resnet8", both)


@pytest.mark.parametrize("name", ["encoder.weight", "layer3.0.conv2.weight.old"])
def test_another_architecture_is_said(name: str) -> None:
    message = misfit("resnet8", {name: torch.zeros(2, 2)})
    assert "hardly a name agrees, so the architecture is another: choose the model it was made for" in message


def test_scalars_in_the_place_of_weights_are_refused_in_words() -> None:
    weights = build_zoo("resnet8", classes=10).state_dict()
    scalars = {"layer3.0.conv2.weight": torch.tensor(1.0), "linear.weight": torch.tensor(1.0)}
    assert "2 tensors of another shape (layer3.0.conv2.weight: []" in misfit(
        "resnet8", {**weights, **scalars}
    )


def test_a_model_outside_the_zoo_is_named_by_its_class() -> None:
    with pytest.raises(InputError, match=r"`w` does not fit this Linear: 2 tensors missing \(weight, bias\)"):
        fit_weights(nn.Linear(2, 2), {}, source="w")


# Identifying


def test_the_hash_sees_names_shapes_types_and_values() -> None:
    base = {"a": torch.zeros(2, 3), "b": torch.zeros(2)}
    variants = [
        base,
        {"a": base["a"], "c": base["b"]},
        {"a": torch.zeros(3, 2), "b": base["b"]},
        {"a": base["a"], "b": torch.zeros(4, dtype=torch.float16)[:2]},
        {"a": base["a"], "b": torch.zeros(2, dtype=torch.int32)},
        {"a": base["a"], "b": torch.tensor([0.0, 1e-40])},
        {"a": base["a"]},
    ]
    assert len({hash_weights(weights) for weights in variants}) == len(variants)


def test_the_hash_sees_neither_order_nor_layout_nor_batch_counters() -> None:
    x = torch.arange(6.0).reshape(2, 3)
    reference = hash_weights({"a": x, "b": torch.zeros(())})
    counted = {"b": torch.zeros(()), "a": x.t().contiguous().t(), "bn.num_batches_tracked": torch.tensor(7)}
    assert hash_weights(counted) == reference
    assert len(reference) == 16 and int(reference, 16) >= 0


@pytest.mark.parametrize(
    ("keys", "variant"),
    [
        (["module.layer2.0.conv1.weight", "module.linear.weight"], "a"),
        (["layer2.0.conv1.weight", "fc.weight"], "a"),
        (["layer2.0.downsample.0.weight", "fc.weight"], "b"),
        (["net.layer2.0.shortcut.0.weight", "net.linear.weight"], "b"),
    ],
)
def test_infer_variant(keys: list[str], variant: str) -> None:
    assert infer_variant(keys) == variant


@pytest.mark.parametrize(
    ("shapes", "classes"),
    [
        ({"module.linear.weight": (10, 64)}, 10),
        ({"fc.weight": (100, 64), "layer4.se.fc.weight": (16, 4)}, 100),
        (
            {
                "classifier.0.weight": (4096, 9),
                "classifier.3.weight": (4096, 9),
                "classifier.6.weight": (1000, 9),
            },
            1000,
        ),
        ({"classifier.1.weight": (1000, 512, 1, 1)}, 1000),
        ({"heads.head.weight": (21, 192)}, 21),
        ({"head.fc.weight": (5, 192), "stages.0.fc.weight": (7, 2)}, 5),
        ({"patch_linear.weight": (7, 2), "conv1.weight": (7, 3, 3, 3)}, None),
        ({}, None),
    ],
)
def test_infer_classes(shapes: dict[str, tuple[int, ...]], classes: int | None) -> None:
    assert infer_classes({name: torch.zeros(shape) for name, shape in shapes.items()}) == classes


# Published files


@pytest.mark.skipif(not DATA, reason="PURSUHINT_TEST_DATA is not set: no published checkpoints")
@pytest.mark.parametrize(("depth", "matched", "counters"), [(20, 97, 19), (32, 157, 31), (56, 277, 55)])
def test_published_checkpoints_load_in_full(depth: int, matched: int, counters: int) -> None:
    weights = read_weights(Path(DATA) / "weights" / f"resnet{depth}.th")
    report = fit_weights(build_zoo(f"resnet{depth}", classes=10), weights, source=f"resnet{depth}.th")
    assert (report.matched, len(report.missing), report.prefix) == (matched, counters, "module.")
    assert report.notes == ("taken from the entry `state_dict`; left aside: `best_prec1`",)
    assert (infer_variant(weights), infer_classes(weights)) == ("a", 10)
