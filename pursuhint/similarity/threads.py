"""One BLAS thread for many small steps."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache

import scipy.linalg  # noqa: F401  (brings a BLAS of its own, which the controller must find)
from threadpoolctl import ThreadpoolController


def one_blas_thread() -> AbstractContextManager:
    """Return a context in which BLAS computes in the calling thread.

    Threads that wait for each other slow many small steps tenfold beside a training run: R2-CCA of a part of
    the images took 400 ms instead of 40 on a busy machine. Looking for the libraries takes 2 ms: once only.
    """
    return _controller().limit(limits=1, user_api="blas")


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()
