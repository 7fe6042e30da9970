from __future__ import annotations

from pursuhint.errors import MOST_LISTED, InputError, PursuhintError, unknown


def test_bad_input_and_failed_jobs_have_their_own_exit_codes():
    assert (PursuhintError.exit_code, InputError.exit_code) == (1, 2)
    assert issubclass(InputError, PursuhintError)


def test_a_name_near_a_known_one_is_answered_with_it():
    message = str(unknown("metric", "cka_liner", ["r2_cca", "cka_linear"]))
    assert message == "unknown metric `cka_liner`: did you mean `cka_linear`? Known: r2_cca, cka_linear"


def test_a_name_near_nothing_gets_no_guess():
    assert str(unknown("metric", "zzz", ["r2_cca"])) == "unknown metric `zzz`. Known: r2_cca"


def test_a_long_list_is_cut_and_counted():
    names = [f"layer{i}" for i in range(MOST_LISTED + 5)]
    message = str(unknown("layer", "x", names))
    assert message.endswith(f"layer{MOST_LISTED - 1} and 5 more")


def test_an_empty_list_says_none():
    assert str(unknown("run", "x", [])).endswith("Known: none")
