from __future__ import annotations

import pytest

from pursuhint.distillation import distill
from pursuhint.training.recipes import RECIPES, shortened
from pursuhint.training.schedule import learning_rate
from pursuhint.training.settings import RunSettings, make_settings


def settings(**fields) -> RunSettings:
    return make_settings(kind="train", student="s", data="digits", preprocess="digits", **fields)


def test_quick_is_what_a_run_has_without_a_recipe():
    assert settings(recipe="quick").model_copy(update={"recipe": None}) == settings()


@pytest.mark.parametrize(
    ("recipe", "rates"),
    [
        ("cifar", {0: 0.05, 149.9: 0.05, 150: 5e-3, 180: 5e-4, 210: 5e-5, 239.9: 5e-5}),
        ("imagenet", {0: 0.1, 29.9: 0.1, 30: 1e-2, 60: 1e-3, 90: 1e-4, 99.9: 1e-4}),
    ],
)
def test_the_rate_falls_where_the_recipe_says(recipe: str, rates: dict[float, float]):
    given = settings(recipe=recipe)
    assert {epoch: learning_rate(given, epoch) for epoch in rates} == pytest.approx(rates)


def test_a_shorter_run_has_its_steps_at_the_same_relative_places():
    given = settings(recipe="cifar", epochs=24)
    places = {14.9: 0.05, 15: 5e-3, 18: 5e-4, 21: 5e-5}
    assert {epoch: learning_rate(given, epoch) for epoch in places} == pytest.approx(places)
    assert shortened("cifar", 24).endswith("from 240 epochs to 24: its learning rate falls at 15, 18, 21")


def test_what_is_given_counts_more_than_the_recipe():
    given = settings(recipe="imagenet", batch_size=32, augmentation="none")
    assert (given.batch_size, given.augmentation) == (32, "none")
    assert (given.learning_rate, given.weight_decay, given.epochs) == (0.1, 1e-4, 100)


@pytest.mark.parametrize(("recipe", "epochs"), [(None, 1), ("quick", 1), ("cifar", 240), ("imagenet", 300)])
def test_a_run_as_long_as_its_recipe_is_not_called_short(recipe: str | None, epochs: int):
    assert shortened(recipe, epochs) is None


def test_only_the_published_recipe_for_large_images_chooses_its_views():
    assert settings(recipe="imagenet").augmentation == "resized-crop"
    assert settings(recipe="cifar").augmentation is settings(recipe="quick").augmentation is None


def test_a_recipe_fills_every_field_that_it_names():
    for name, recipe in RECIPES.items():
        dumped = settings(recipe=name).model_dump()
        assert {field: dumped[field] for field in recipe.fields} == recipe.fields


def test_a_shortened_run_warns_once_though_it_is_resumed(train, settings_for):
    given = settings_for(recipe="cifar", hint_loss="none")
    parts = [train(given, stop_after=3), train(given)]
    texts = [event["text"] for part in parts for event in part.of("warning")]
    assert ["shortened from 240 epochs to 2" in text for text in texts] == [True]


def test_distill_takes_the_recipes_epochs_unless_it_is_told(tiny_plan, tmp_path, monkeypatch):
    monkeypatch.setattr("pursuhint.runs.worker.work", lambda run, **_: None)
    runs = [
        distill(tiny_plan, "zoo:resnet8", folder=tmp_path / str(i), **fields).run_settings
        for i, fields in enumerate([{}, {"recipe": "cifar"}, {"recipe": "cifar", "epochs": 7}])
    ]
    assert [(run.epochs, run.schedule) for run in runs] == [(30, "cosine"), (240, "step"), (7, "step")]
