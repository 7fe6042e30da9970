"""What a layer sees: what the drawing gets, what a click changes, and the way to missing maps."""

from __future__ import annotations

import os

import numpy as np
import psutil
import pytest

from app.drawing.drawing import text_of
from app.sees.sees import EVENTS, KEY, PARTS
from app.state import KEY as MINE
from pursuhint.analysis.sights import kept_sight
from pursuhint.errors import PursuhintError
from pursuhint.hints import choose_hints
from pursuhint.neighbours import nearest_images
from tests.app.conftest import drawn, tell, texts, widget

PAGE = "what_a_layer_sees"


@pytest.fixture(autouse=True)
def asked(monkeypatch):
    """Write down which images the teacher is asked about; the answer is what the first image showed."""
    calls = []

    def answer(folder, positions):
        calls.append(list(positions))
        first = (folder.path / "sights" / "00000.npz").read_bytes()
        for position in positions:
            (folder.path / "sights" / f"{position:05d}.npz").write_bytes(first)

    monkeypatch.setattr("app.sees.sees.look_apart", answer)
    return calls


def send(app, event: str, value) -> None:
    """Do what a visitor does in the drawing."""
    tell(app, KEY, EVENTS, (event, value))


def test_the_first_visit_shows_the_first_image_without_asking_the_teacher(open_page, teacher, asked):
    data, sight = drawn(open_page(PAGE)), kept_sight(teacher, 0)
    assert asked == []
    assert data["look"] == {"layer": "layer1.0", "image": 0, "colour": "class", "beside": "layer3.8"}
    assert len(data["labels"]) == len(data["answers"]) == 1000 and len(data["layers"]) == 27
    assert data["shapes"][0] == "16 ch · 8×8" and len(data["colours"]) == 10
    hints = [data["layers"][layer] for layer, _, _ in data["hints"]]
    assert tuple(hints) == choose_hints(teacher).hint_points
    for side, layer in (("here", "layer1.0"), ("beside", "layer3.8")):
        expected = nearest_images(np.array(teacher.features(layer)), 0)
        assert data["near"][side]["layer"] == layer
        assert [one["image"] for one in data["near"][side]["images"]] == [one.image for one in expected]
    assert data["sight"]["image"] == 0 and data["sight"]["heat"].startswith("data:image/png;base64,")
    assert data["sight"]["answers"][0][0] == data["classes"][int(sight.probabilities.argmax())]
    assert data["trouble"] == ""


def test_another_image_asks_the_teacher_once_about_it_and_its_neighbours(open_page, teacher, asked):
    app = open_page(PAGE)
    send(app, "image", 40)
    data = drawn(app)
    near = [one["image"] for side in ("here", "beside") for one in data["near"][side]["images"]]
    assert asked == [[40, *near]]
    assert data["look"]["image"] == data["sight"]["image"] == data["near"]["here"]["image"] == 40
    send(app, "image", near[0])
    assert len(asked) == 1  # the neighbour was looked at with it


def test_layer_colour_and_the_other_layer_are_chosen(open_page, teacher):
    app = open_page(PAGE)
    first = drawn(app)["sight"]["heat"]
    send(app, "layer", "layer2.4")
    send(app, "beside", "layer1.3")
    send(app, "colour", "answer")
    data = drawn(app)
    assert data["look"] == {"layer": "layer2.4", "image": 0, "colour": "answer", "beside": "layer1.3"}
    assert (data["near"]["here"]["layer"], data["near"]["beside"]["layer"]) == ("layer2.4", "layer1.3")
    assert data["sight"]["heat"] != first
    app.switch_page("../pages/hint_points.py").run()
    assert drawn(app)["look"]["selected"] == "layer2.4"  # one layer is selected, on all pages
    app.switch_page(f"../pages/{PAGE}.py").run()
    assert drawn(app)["look"]["colour"] == "answer"


def test_beside_the_last_layer_stands_the_first(open_page, teacher):
    app = open_page(PAGE)
    send(app, "layer", "layer3.8")
    assert drawn(app)["look"]["beside"] == "layer1.0"


@pytest.mark.parametrize(
    ("event", "value", "said"),
    [
        ("image", 1000, "an image must lie between 0 and 999; found `1000`"),
        ("image", None, "an image must lie between 0 and 999; found `None`"),
        ("layer", "layer9", "unknown layer `layer9`"),
        ("beside", {}, "unknown layer `{}`"),
        ("colour", "red", "unknown colouring `red`"),
    ],
)
def test_what_cannot_be_is_said_once(open_page, teacher, event, value, said):
    app = open_page(PAGE)
    send(app, event, value)
    assert said in app.error[0].value and not app.exception
    app.run()
    assert not app.error


def test_a_teacher_that_does_not_answer_is_asked_once(open_page, teacher, monkeypatch):
    calls = []

    def fail(folder, positions):
        calls.append(positions)
        raise PursuhintError("the data changed after the analysis; analyse again")

    monkeypatch.setattr("app.sees.sees.look_apart", fail)
    app = open_page(PAGE)
    send(app, "image", 40)
    assert len(calls) == 1 and "the data changed after the analysis" in app.error[0].value
    assert drawn(app)["trouble"] and drawn(app)["sight"] is None
    send(app, "layer", "layer2.4")
    assert len(calls) == 1
    send(app, "image", 0)  # what was seen before needs no teacher
    assert not app.error and drawn(app)["sight"]["image"] == 0


def test_two_visitors_look_at_images_of_their_own(open_page, teacher):
    one, other = open_page(PAGE), open_page(PAGE)
    send(one, "image", 7)
    send(other, "layer", "layer3.0")
    one.run()
    assert (drawn(one)["look"]["image"], drawn(one)["look"]["layer"]) == (7, "layer1.0")
    assert (drawn(other)["look"]["image"], drawn(other)["look"]["layer"]) == (0, "layer3.0")


def test_missing_maps_are_offered_made_and_cancelled(open_page, teacher, monkeypatch):
    maps = teacher.image_maps
    (maps.path / "004.npz").write_bytes(b"damaged")
    app = open_page(PAGE)
    assert not app.get("bidi_component") and "1 map of 1,000 images to be made" in texts(app)
    started = []

    def start(self, module):
        started.append(module)
        me = psutil.Process(os.getpid())
        self.set_state("running", pid=me.pid, born=me.create_time())
        self.journal.append("progress", stage="mapping the images", done=4, total=27)

    monkeypatch.setattr("pursuhint.analysis.image_maps.ImageMaps.start", start)
    widget(app.button, "Make the missing maps").click().run()
    assert started == ["pursuhint.analysis.image_map_worker"] and not app.exception
    assert "layer 5 of 27 · getting ready" in app.get("progress")[0].proto.text
    widget(app.button, "Cancel").click().run()
    assert maps.stop_asked() and widget(app.button, "Cancel").disabled
    maps.set_state("stopped", reason="cancelled")
    app.run()
    assert "ended early: stopped: cancelled" in app.error[0].value
    maps.save("layer1.4", maps.load("layer1.3"))
    app.run()
    assert drawn(app)["layers"][4] == "layer1.4"


def test_flattened_activations_say_what_to_do(open_page, teacher):
    card = teacher.path / "analysis.json"
    card.write_text(card.read_text().replace('"pooling": "mean"', '"pooling": "flatten"'))
    app = open_page(PAGE)
    assert not app.exception and "too large to be kept" in app.error[0].value


def test_damaged_features_are_said_in_one_box(open_page, teacher):
    (teacher.path / "features" / "000.npy").write_bytes(b"no")
    app = open_page(PAGE)
    assert len(app.error) == 1 and "`layer1.0`" in app.error[0].value
    assert not app.exception and not app.code  # neither raw nor as a defect


def test_the_drawing_begins_anew_with_another_teacher(open_page, teacher):
    app = open_page(PAGE)
    send(app, "image", 7)
    mine = app.session_state[MINE]
    mine.open_teacher(teacher)
    app.run()
    assert drawn(app)["look"]["image"] == 0


def test_the_script_is_small_and_sends_what_is_heard():
    script = text_of(*PARTS)
    assert len([line for line in script.splitlines() if line]) < 280
    assert "innerHTML" not in script and "insertAdjacentHTML" not in script  # names go in as text only
    for event in EVENTS:
        assert f'send("{event}"' in script
