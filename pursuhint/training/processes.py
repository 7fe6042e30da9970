"""The processes that train one student together; a run without ``torchrun`` has one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies import DDPStrategy
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

T = TypeVar("T")
PATIENCE = timedelta(days=7)
"""How long the others wait while the first process scores and writes."""


class OwnBuffers(DDPStrategy):
    """Gradients are exchanged in every step, buffers only once, before the first one.

    Torch would send the first process's buffers to all in every step: the memory banks of `crd`, which are
    equal everywhere, again and again, and statistics of batch norm, which nothing reads that trains: those of
    the first process are scored, averaged and saved, and in train mode none enter a result.
    """

    def setup_module(self, module: nn.Module) -> DistributedDataParallel:
        """Wrap a module; its parameters and buffers are those of the first process then."""
        wrapped = super().setup_module(module)
        # Handed to it from the start, this would leave out the first exchange too.
        wrapped.broadcast_buffers = False
        return wrapped


class Processes:
    """What the processes of a run agree on; every method is called by all of them, in the same order.

    With a single process nothing is sent and nothing waited for.

    Args:
        fabric: the run's; its processes are joined here.
    """

    def __init__(self, fabric: Fabric) -> None:
        fabric.launch()
        self.fabric = fabric
        self.rank, self.count = fabric.global_rank, fabric.world_size
        # Words between processes go over the CPU: over the GPUs each would wait for the work queued there.
        self._control = distributed.new_group(backend="gloo", timeout=PATIENCE) if self.count > 1 else None

    @property
    def first(self) -> bool:
        """Whether this process is the one that writes."""
        return self.rank == 0

    def any(self, flag: bool) -> bool:
        """Return whether the flag is set in at least one process."""
        if self._control is None:
            return flag
        seen = torch.tensor(int(flag))
        distributed.all_reduce(seen, op=distributed.ReduceOp.MAX, group=self._control)
        return bool(seen)

    def from_first(self, act: Callable[[], T]) -> T:
        """Let the first process act while the others wait, and return in all of them what it returned.

        Args:
            act: returns something that can be pickled.
        """
        if self._control is None:
            return act()
        answer = [act() if self.first else None]
        distributed.broadcast_object_list(answer, src=0, group=self._control)
        return answer[0]

    def first_then_others(self, act: Callable[[], T]) -> T:
        """Act in every process, in the first one before the others: what it caches, they find."""
        if self._control is None:
            return act()
        mine = act() if self.first else None
        self.from_first(lambda: None)
        return mine if self.first else act()

    def mean(self, values: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return the mean of each scalar over the processes."""
        if self._control is None or not values:
            return values
        means = self.fabric.all_reduce(torch.stack(list(values.values())), reduce_op="mean")
        return dict(zip(values, means.unbind(), strict=True))
