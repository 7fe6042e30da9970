from __future__ import annotations

import threading

from threadpoolctl import threadpool_info, threadpool_limits

from pursuhint.similarity.threads import in_threads, one_blas_thread


def blas_threads() -> set[int]:
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


def test_the_last_to_leave_takes_the_limit_back():
    with threadpool_limits(2, user_api="blas"):
        first, second = one_blas_thread(), one_blas_thread()
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        assert blas_threads() == {1}
        second.__exit__(None, None, None)
        assert blas_threads() == {2}


def test_an_error_takes_the_limit_back():
    with threadpool_limits(2, user_api="blas"):
        try:
            with one_blas_thread():
                raise KeyError
        except KeyError:
            pass
        assert blas_threads() == {2}


def test_results_come_in_order_from_other_threads():
    here = threading.get_ident()
    found = list(in_threads(lambda number: (number, threading.get_ident()), range(20)))
    assert [number for number, _ in found] == list(range(20))
    assert here not in {thread for _, thread in found}
