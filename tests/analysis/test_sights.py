"""What a teacher sees in an image, against hooks and a softmax written here."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from pursuhint.analysis import AnalysisFolder
from pursuhint.analysis.sights import kept_sight, look, look_apart
from pursuhint.data import load_data
from pursuhint.errors import InputError, PursuhintError


@pytest.fixture
def folder(tiny_analysis, tmp_path: Path) -> AnalysisFolder:
    """A copy that may be written to."""
    shutil.copytree(tiny_analysis.path, tmp_path / "copy", ignore=shutil.ignore_patterns("matrices"))
    return AnalysisFolder.open(tmp_path / "copy")


def test_maps_and_probabilities_are_those_of_a_forward_pass_of_ones_own(folder, tiny_teacher):
    import torch

    position, data = 7, load_data("digits")
    (seen,) = look(folder, [position])
    image = data.train.source[folder.probe["ids"][position]]
    np.testing.assert_array_equal(seen.image, image)
    outputs = {}
    handles = [
        tiny_teacher.model.get_submodule(layer.name).register_forward_hook(
            lambda _m, _i, output, name=layer.name: outputs.__setitem__(name, output[0].clone())
        )
        for layer in folder.layers
    ]
    pixels = (torch.tensor(image / 255.0, dtype=torch.float32) - 0.306) / 0.376
    with torch.no_grad():
        logits = tiny_teacher.model(pixels.permute(2, 0, 1)[None])[0].double()
    for handle in handles:
        handle.remove()
    shares = torch.exp(logits) / torch.exp(logits).sum()
    np.testing.assert_allclose(seen.probabilities, shares, atol=1e-5)
    assert seen.likeliest(2)[0][0] == int(logits.argmax()) == folder.probe["predictions"][position]
    assert seen.likeliest(2)[0][1] >= seen.likeliest(2)[1][1]
    for layer in folder.layers:
        expected = np.mean([channel.numpy() ** 2 for channel in outputs[layer.name]], axis=0)
        assert seen.maps[layer.name].shape == layer.shape[1:]
        np.testing.assert_allclose(seen.maps[layer.name], expected, rtol=1e-3, atol=1e-5)


def test_what_was_seen_is_kept_and_several_images_do_not_mix(folder):
    assert kept_sight(folder, 3) is None
    (alone,) = look(folder, [11])
    both = look(folder, [3, 11])
    for position, seen in zip((3, 11), both, strict=True):
        kept = kept_sight(folder, position)
        np.testing.assert_array_equal(kept.image, seen.image)
        np.testing.assert_array_equal(kept.probabilities, seen.probabilities)
        assert list(kept.maps) == list(seen.maps)
    np.testing.assert_allclose(both[1].maps["layer3.1"], alone.maps["layer3.1"], rtol=1e-4)


def test_a_layer_without_places_has_no_map(folder, monkeypatch):
    monkeypatch.setattr("pursuhint.activation.activation_map", lambda output, prefix: None)
    (seen,) = look(folder, [0])
    assert seen.maps == kept_sight(folder, 0).maps == {}


def test_a_damaged_file_counts_as_none(folder):
    look(folder, [5])
    (path,) = (folder.path / "sights").iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert kept_sight(folder, 5) is None
    np.savez(path, format=0)
    assert kept_sight(folder, 5) is None


def test_a_process_of_its_own_looks_once(folder, monkeypatch):
    look_apart(folder, [2, 4, 2])
    assert kept_sight(folder, 2) is not None and kept_sight(folder, 4) is not None
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("asked again"))
    look_apart(folder, [4, 2])


def test_images_and_teachers_that_are_not_there_are_refused(folder):
    with pytest.raises(PursuhintError, match="a probe image must lie between 0 and 199; found 200"):
        look(folder, [200])
    folder.card = folder.card.model_copy(update={"data_id": "0" * 16})
    with pytest.raises(InputError, match="the data changed after the analysis in `.*`; analyse again"):
        look(folder, [0])
    other = folder.card.teacher.model_copy(update={"hash": "0" * 16})
    folder.card = folder.card.model_copy(update={"data_id": load_data("digits").id, "teacher": other})
    with pytest.raises(InputError, match="the teacher's weights changed after the analysis"):
        look(folder, [0])
