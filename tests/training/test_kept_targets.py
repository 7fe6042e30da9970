from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from pursuhint.errors import PursuhintError, StorageError
from pursuhint.files import read_json
from pursuhint.training import kept_targets
from pursuhint.training.kept_targets import DONE, KeptTargets
from pursuhint.training.target_size import bytes_needed
from tests.training import keep_at_once

IDS = np.array([3, 40, 8, 21, 5])
SHAPES = {"logits": (10,), "layer1->a": (16,), "layer2->b": (4, 2, 2)}


@pytest.fixture
def opened(tmp_path):
    """Open the same folder again and again, as runs one after another do."""

    def build(**given) -> KeptTargets:
        return KeptTargets(tmp_path / "kept", **{"ids": IDS, "views": 3, "shapes": SHAPES} | given)

    return build


def rows(n: int) -> dict[str, torch.Tensor]:
    return {name: torch.randn(n, *shape) for name, shape in SHAPES.items()}


def test_what_was_written_is_read_back_rounded(opened):
    kept, ids, given = opened(), torch.tensor([21, 3]), rows(2)
    kept.write(1, ids, given)
    found = kept.read(1, torch.tensor([3, 21]))
    for name, values in given.items():
        assert torch.equal(found[name], values.flip(0).half().float())
        assert found[name].dtype == torch.float32


def test_only_what_was_written_is_there(opened):
    kept = opened()
    kept.write(1, torch.tensor([21, 3]), rows(2))
    every = torch.from_numpy(IDS)
    assert kept.missing(1, every).tolist() == [False, True, True, False, True]
    assert kept.missing(0, every).all()
    assert kept.missing(2, every).all()
    assert len(kept) == 2


def test_the_next_process_finds_it_whatever_the_order_of_its_images(opened):
    first, given = opened(), rows(5)
    first.write(2, torch.from_numpy(IDS), given)
    first.close()
    second = opened(ids=IDS[::-1].copy())
    assert not second.missing(2, torch.from_numpy(IDS)).any()
    for name, values in second.read(2, torch.from_numpy(IDS)).items():
        assert torch.equal(values, given[name].half().float())


def test_what_was_not_marked_before_a_kill_is_asked_for_again(opened):
    killed = opened()
    killed.write(0, torch.tensor([3]), rows(1))
    killed.mark()
    killed.write(0, torch.tensor([8]), rows(1))
    assert opened().missing(0, torch.tensor([3, 8])).tolist() == [False, True]


def test_rows_are_on_disk_before_they_are_marked(opened, monkeypatch):
    order = []
    flush, write = np.memmap.flush, kept_targets.write_atomic
    monkeypatch.setattr(np.memmap, "flush", lambda self: (order.append("rows"), flush(self)))
    monkeypatch.setattr(
        kept_targets, "write_atomic", lambda path, act: (order.append(path.name), write(path, act))
    )
    kept = opened()
    kept.write(0, torch.tensor([3]), rows(1))
    assert order == []
    kept.close()
    assert order == ["rows"] * 3 + [DONE]


def test_marks_come_by_themselves_after_a_while(opened, monkeypatch):
    monkeypatch.setattr(kept_targets, "WRITES_BETWEEN_MARKS", 2)
    kept = opened()
    for done, number in enumerate((3, 40, 8), start=1):
        kept.write(0, torch.tensor([number]), rows(1))
        assert len(opened()) == done // 2 * 2


def test_two_processes_add_to_each_others_marks(opened):
    first, second = opened(), opened()
    first.write(0, torch.tensor([3]), rows(1))
    second.write(0, torch.tensor([8]), rows(1))
    first.close()
    second.close()
    assert opened().missing(0, torch.tensor([3, 8, 5])).tolist() == [False, False, True]


def test_two_processes_that_make_the_same_folder_at_once_lose_nothing(tmp_path):
    rounds = 4
    script = [sys.executable, keep_at_once.__file__, str(tmp_path)]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    both = [subprocess.Popen([*script, str(rank), str(rounds)], env=environment) for rank in (0, 1)]
    assert [process.wait(timeout=120) for process in both] == [0, 0]
    ids = torch.from_numpy(keep_at_once.IDS)
    for number in range(rounds):
        folder = tmp_path / f"kept-{number}"
        kept = KeptTargets(folder, ids=keep_at_once.IDS, views=1, shapes=keep_at_once.SHAPES)
        assert not kept.missing(0, ids).any()
        for values in kept.read(0, ids).values():
            assert torch.equal(values, ids[:, None].float().expand(-1, 500))
        assert read_json(folder / "targets.json") == keep_at_once.CARD


def test_damaged_files_that_another_process_uses_are_left_alone(opened):
    using = opened()
    (using.folder / "001.f16").unlink()
    with pytest.raises(StorageError, match="are damaged and another run works with them; wait for it, or"):
        opened()
    using.close()
    assert len(opened()) == 0


@pytest.mark.parametrize("damage", ["cut", "gone", "marks cut"])
def test_a_damaged_file_counts_for_nothing(opened, damage: str):
    kept = opened()
    kept.write(0, torch.tensor([3]), rows(1))
    kept.close()
    file = kept.folder / (DONE if damage == "marks cut" else "001.f16")
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:1])
    again = opened()
    assert len(again) == 0
    again.write(0, torch.tensor([3]), rows(1))
    again.close()
    assert len(opened()) == 1


def test_the_size_is_what_the_files_take(opened):
    kept = opened()
    on_disk = sum(path.stat().st_size for path in kept.folder.glob("*.f16"))
    assert kept.bytes == on_disk == bytes_needed(SHAPES, images=5, views=3) == 2 * 5 * 3 * (10 + 16 + 16)


@pytest.mark.parametrize("value", [7e4, float("nan"), float("inf")])
def test_a_value_that_half_precision_cannot_hold_is_refused(opened, value: float):
    given = rows(1)
    given["layer1->a"][0, 3] = value
    kept = opened()
    with pytest.raises(PursuhintError, match="the teacher's `layer1->a` reaches .*, above the 65504 that"):
        kept.write(0, torch.tensor([3]), given)
    assert len(kept) == 0


def test_a_folder_that_cannot_be_made_is_an_error(opened, tmp_path):
    (tmp_path / "kept").write_text("a file is in the way")
    with pytest.raises(StorageError, match="cannot keep 1.3 kB of targets in .*: File exists; free"):
        opened()
