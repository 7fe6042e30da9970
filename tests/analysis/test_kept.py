from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from pursuhint.analysis import AnalysisFolder, AnalysisSettings, request_analysis
from pursuhint.analysis.kept import clear, find_twin, kept, size_limit, trim
from pursuhint.analysis.worker import analyse, work
from pursuhint.data import load_data
from pursuhint.errors import InputError
from pursuhint.files import copy_file
from pursuhint.home import analyses_folder
from pursuhint.jobs.stopping import stop
from tests.tiny import TEACHER


@pytest.fixture
def settings(tiny_weights: Path) -> AnalysisSettings:
    return AnalysisSettings(
        teacher=TEACHER, weights=str(tiny_weights), preprocess="digits", samples=60, device="cpu", threads=1
    )


def make(settings: AnalysisSettings):
    return analyse(settings, analyses_folder() / settings.key(), whole=False)


def image_folder(root: Path) -> Path:
    from PIL import Image

    for part in ("train", "test"):
        for label in "ab":
            (root / part / label).mkdir(parents=True)
            for index in range(4):
                Image.fromarray(np.full((8, 8, 3), 20 * index, np.uint8)).save(
                    root / part / label / f"{index}.png"
                )
    return root


def test_analyses_and_decoded_images_are_listed_and_cleared(settings, tmp_path: Path):
    analysis = make(settings)
    load_data(f"folder:{image_folder(tmp_path / 'pictures')}")
    found = {one.kind: one for one in kept()}
    assert found["analysis"].id == analysis.id
    assert found["analysis"].what == f"{TEACHER} on digits, mean"
    assert found["analysis"].bytes > 4 * 60 * 6 * 8
    assert found["images"].what == str(tmp_path / "pictures")
    assert [one.id for one in clear([analysis.id])] == [analysis.id]
    assert not analysis.path.exists()
    assert [one.kind for one in clear()] == ["images"]
    assert kept() == []


def test_an_unknown_id_is_refused(settings):
    make(settings)
    with pytest.raises(InputError, match=f"unknown kept work `nonsense`.* Known: {settings.key()}"):
        clear(["nonsense"])


def test_what_a_process_works_on_stays(settings):
    analysis = make(settings)
    with analysis.claim():
        assert clear() == []
        with pytest.raises(InputError, match=f"a process works on `{analysis.id}`; wait for it or stop it"):
            clear([analysis.id])
        assert analysis.path.exists()


def test_images_that_are_being_decoded_stay(pursuhint_home: Path):
    folder = pursuhint_home / "images" / "pictures-0123"
    folder.mkdir(parents=True)
    (folder / ".images.npy.half").write_bytes(b"so far")
    assert clear() == []
    for path in (folder / ".images.npy.half", folder):
        os.utime(path, (1e9, 1e9))
    assert [one.id for one in clear()] == ["pictures-0123"]


def test_the_longest_unused_go_first_until_the_rest_fits(settings, monkeypatch: pytest.MonkeyPatch):
    oldest, newest = make(settings), make(settings.model_copy(update={"samples": 61}))
    for age, folder in enumerate((newest, oldest)):
        os.utime(folder.path / "settings.json", (1e9 - age, 1e9 - age))
    size = {one.id: one.bytes for one in kept()}
    monkeypatch.setenv("PURSUHINT_CACHE_GB", str(size[newest.id] / 1e9))
    assert [one.id for one in trim(spare=newest.path)] == [oldest.id]
    monkeypatch.setenv("PURSUHINT_CACHE_GB", "0")
    assert trim(spare=newest.path) == []
    assert newest.is_ready


@pytest.mark.parametrize("text", ["much", "-1", "inf", "nan"])
def test_a_limit_that_is_no_size_is_refused(text: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PURSUHINT_CACHE_GB", text)
    with pytest.raises(InputError, match=f"`PURSUHINT_CACHE_GB` must be a number .* found `{text}`"):
        size_limit()


def test_the_same_content_under_another_name_is_not_read_again(settings, tmp_path: Path, monkeypatch):
    first = make(settings)
    copy_file(Path(settings.weights), tmp_path / "copy.safetensors")
    other = settings.model_copy(update={"weights": str(tmp_path / "copy.safetensors")})
    assert other.key() != settings.key()
    assert find_twin(first.card.key, besides=first.path) is None

    import pursuhint.analysis.collect as collect

    monkeypatch.setattr(collect, "collect_representations", lambda *_, **__: pytest.fail("a pass was made"))
    second = make(other)
    assert second.card.key == first.card.key
    for layer in first.layers:
        np.testing.assert_array_equal(second.features(layer.name), first.features(layer.name))


@pytest.mark.parametrize("damage", ["flip", "cut", "remove"])
def test_damaged_features_are_noticed_and_read_again(settings, damage: str):
    first = make(settings)
    good = {layer.name: np.array(first.features(layer.name)) for layer in first.layers}
    file = first.path / "features" / "001.npy"
    content = bytearray(file.read_bytes())
    content[-5] ^= 1
    if damage == "remove":
        file.unlink()
    else:
        file.write_bytes(content if damage == "flip" else content[:-40])
    again = AnalysisFolder.open(first.path)
    assert again.damaged() == [first.layers[1].name]
    with pytest.raises(InputError, match=f"the features of `{first.layers[1].name}` in .* are damaged"):
        again.similarity("cka_linear")
    assert find_twin(first.card.key, besides=Path("elsewhere")) is None
    mended = make(settings)
    assert mended.damaged() == []
    for name, rows in good.items():
        np.testing.assert_array_equal(mended.features(name), rows)


@pytest.mark.parametrize("name", ["cka_linear.npz", "moments.npz"])
def test_a_damaged_matrix_is_computed_again(settings, name: str):
    first = make(settings)
    expected = first.similarity("cka_linear").values
    file = first.path / "matrices" / name
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 255
    file.write_bytes(content)
    if name.startswith("moments"):
        (first.path / "matrices" / "cka_linear.npz").unlink()
    np.testing.assert_array_equal(first.similarity("cka_linear").values, expected)
    assert file.read_bytes() != bytes(content)


def test_a_request_notices_damage(settings):
    analysis = make(settings)
    (analysis.path / "features" / "000.npy").unlink()
    asked = request_analysis(settings)
    assert asked.last_state()["state"] == "queued"
    stop(asked)


def test_the_worker_mends_what_is_damaged(settings):
    analysis = make(settings)
    good = np.array(analysis.features("layer1.0"))
    (analysis.path / "features" / "000.npy").write_bytes(b"damaged")
    work(AnalysisFolder(analysis.path))
    mended = AnalysisFolder.open(analysis.path)
    assert mended.damaged() == []
    np.testing.assert_array_equal(mended.features("layer1.0"), good)


def test_damaged_probe_images_are_noticed(settings):
    analysis = make(settings)
    (analysis.path / "samples.npz").write_bytes((analysis.path / "samples.npz").read_bytes()[:100])
    again = AnalysisFolder.open(analysis.path)
    with pytest.raises(InputError, match=r"`.*samples.npz` must hold the probe images of an analysis"):
        _ = again.probe
    assert len(again.damaged()) == 6
    assert len(make(settings).probe["ids"]) == 60


def test_folders_of_the_same_name_and_changed_folders_are_different_data(tmp_path: Path, monkeypatch):
    keys = []
    for place in ("x", "y"):
        image_folder(tmp_path / place / "pictures")
        monkeypatch.chdir(tmp_path / place)
        keys.append(AnalysisSettings(data="folder:pictures").key())
    assert keys[1] == AnalysisSettings(data=f"folder:{tmp_path}/y/pictures").key()
    copy_file(tmp_path / "y/pictures/train/a/0.png", tmp_path / "y/pictures/train/a/new.png")
    keys.append(AnalysisSettings(data="folder:pictures").key())
    assert len(set(keys)) == 3


def test_a_wrong_limit_is_refused_before_the_pass(settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PURSUHINT_CACHE_GB", "abc")
    with pytest.raises(InputError, match="`PURSUHINT_CACHE_GB` must be a number"):
        make(settings)
    assert not (analyses_folder() / settings.key() / "features").exists()


def test_opening_counts_as_use(settings):
    analysis = make(settings)
    os.utime(analysis.path / "settings.json", (1e9, 1e9))
    AnalysisFolder.open(analysis.path)
    (found,) = kept()
    assert found.used > 1.5e9


def test_other_metrics_never_run_the_teacher(settings, monkeypatch: pytest.MonkeyPatch):
    import pursuhint.teacher

    analysis = make(settings)
    monkeypatch.setattr(
        pursuhint.teacher, "load_teacher", lambda *_, **__: pytest.fail("the teacher was run")
    )
    for metric in ("cka_linear", "cka_linear_debiased", "procrustes", "rsa"):
        assert analysis.similarity(metric).values.shape == (6, 6)
    assert (analysis.path / "matrices" / "rsa.npz").is_file()
