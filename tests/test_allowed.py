from __future__ import annotations

import os
from pathlib import Path

import pytest

from pursuhint.allowed import VARIABLE, roots, typed_data, typed_path
from pursuhint.errors import InputError


@pytest.fixture
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder beside the data folder that may be read; `outside` lies next to it."""
    for name in ("inside", "outside", "inside-beside"):
        (tmp_path / name).mkdir()
    (tmp_path / "outside" / "w.pt").touch()
    monkeypatch.setenv(VARIABLE, str(tmp_path / "inside"))
    return tmp_path / "inside"


def test_without_roots_every_path_is_allowed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    assert roots() is None
    assert typed_path(" /etc/../etc/passwd ") == Path("/etc/passwd")
    assert typed_path("~") == Path.home()


def test_the_data_folder_is_always_allowed(monkeypatch: pytest.MonkeyPatch, pursuhint_home: Path):
    monkeypatch.setenv(VARIABLE, "")
    assert roots() == (pursuhint_home,)
    assert typed_path(pursuhint_home / "analyses") == pursuhint_home / "analyses"
    with pytest.raises(InputError, match="`/etc/passwd` lies outside of the folders that may be read: "):
        typed_path("/etc/passwd")


def test_several_roots_are_joined_as_in_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(VARIABLE, os.pathsep.join([str(tmp_path / "a"), str(tmp_path / "b")]))
    assert [typed_path(tmp_path / name / "w.pt").parent.name for name in "ab"] == ["a", "b"]
    with pytest.raises(InputError, match=f"ask who runs the app to add its folder to `{VARIABLE}`"):
        typed_path(tmp_path / "c" / "w.pt")


@pytest.mark.parametrize(
    "leading_out",
    [
        "../outside/w.pt",
        "a/../../outside",
        "../inside-beside/w.pt",
        "../../../../../../../etc/passwd",
        "/etc",
    ],
)
def test_no_spelling_leads_out(inside: Path, leading_out: str):
    with pytest.raises(InputError, match="lies outside of the folders that may be read"):
        typed_path(inside / leading_out)


def test_what_is_told_of_a_path_outside_is_the_same_whether_it_exists(inside: Path):
    messages = []
    for name in ("w.pt", "x.pt"):
        with pytest.raises(InputError) as refused:
            typed_path(inside.parent / "outside" / name)
        messages.append(str(refused.value).replace("x.pt", "w.pt"))
    assert messages[0] == messages[1]


@pytest.mark.parametrize("target", ["outside/w.pt", "outside", "outside/none.pt"])
def test_a_link_out_is_refused_by_itself_and_on_the_way(inside: Path, target: str):
    (inside / "link").symlink_to(inside.parent / target)
    for typed in (inside / "link", inside / "link" / "w.pt"):
        with pytest.raises(InputError, match="lies outside of the folders"):
            typed_path(typed)


def test_a_link_in_a_folder_of_images_must_stay_inside(inside: Path):
    (inside / "images" / "train" / "a").mkdir(parents=True)
    link = inside / "images" / "train" / "a" / "1.png"
    link.symlink_to(inside / "images" / "2.png")
    assert typed_data(f"folder:{inside}/images") == f"folder:{inside}/images"
    link.unlink()
    link.symlink_to(inside.parent / "outside" / "w.pt")
    with pytest.raises(InputError, match=f"`{link}` is a link out of the folders that may be read; copy"):
        typed_data(f"folder:{inside}/images")


def test_data_without_a_place_stay_what_they_are(inside: Path):
    assert [typed_data(spec) for spec in ("digits", "cifar10", "folder:")] == ["digits", "cifar10", "folder:"]


@pytest.mark.parametrize("confined", [True, False])
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a\0b", "a path is at most 4,096 characters that can be shown, found 3, starting 'a"),
        ("a\nb", "check what was pasted"),
        ("\ud800", "check what was pasted"),
        ("a/" * 5000, "found 10,000, starting 'a/a/a/"),
        ("n" * 300, "'nnn.* cannot be a path: File name too long; check it"),
        ("~nobody-at-all/x", "'~nobody-at-all/x' cannot be a path: .*home directory.*; check it"),
    ],
)
def test_what_no_system_takes_is_refused_in_words(
    text: str, message: str, confined: bool, monkeypatch: pytest.MonkeyPatch
):
    if confined:
        monkeypatch.setenv(VARIABLE, "/")
    with pytest.raises(InputError, match=message):
        typed_path(text)
