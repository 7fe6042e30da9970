"""``keep_at_once.py FOLDER RANK ROUNDS``: make the same kept targets as another process, at the same moment.

Each of the two writes every other image, number i at each place of image i.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import torch

from pursuhint.training.kept_targets import KeptTargets

IDS, VIEWS = np.arange(40), 1
SHAPES = {f"target-{number}": (500,) for number in range(12)}
CARD = {"teacher": "t", "data": "d", "views": VIEWS}


def meet(folder: Path, rank: int, number: int) -> None:
    """Wait until the other process is here too."""
    (folder / f"here-{number}-{rank}").touch()
    while not (folder / f"here-{number}-{1 - rank}").exists():
        time.sleep(1e-4)


def main() -> None:
    folder, rank, rounds = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    ids = torch.from_numpy(IDS[rank::2])
    for number in range(rounds):
        meet(folder, rank, number)
        kept = KeptTargets(folder / f"kept-{number}", ids=IDS, views=VIEWS, shapes=SHAPES, card=CARD)
        rows = ids[:, None].float().expand(-1, 500)
        kept.write(0, ids, dict.fromkeys(SHAPES, rows))
        kept.close()


if __name__ == "__main__":
    main()
