"""Distill: the student, the formula, the pairs, one run for one click, and the command that does the same."""

from __future__ import annotations

import shlex
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from app import launch, losses
from app.recipe import Numbers, Recipe
from app.state import KEY, AppState
from pursuhint.errors import InputError
from pursuhint.files import in_bytes, read_json, write_json
from pursuhint.hints import choose_hints
from pursuhint.pairs import Pair, check_pairs
from pursuhint.runs import RunFolder, list_runs
from pursuhint.runs.pace import in_words
from pursuhint.students import StudentCard, Target, describe_student, propose_students
from tests.app.conftest import texts, widget


@pytest.fixture
def launched(monkeypatch) -> list[str]:
    """The runs that were started; no process is."""
    started: list[str] = []
    monkeypatch.setattr(RunFolder, "launch", lambda run: started.append(run.id) or 1)
    return started


def startable(app) -> bool:
    """Say whether the page offers to start a run."""
    return any(one.label == "Start distillation" and not one.disabled for one in app.button)


def test_the_first_student_is_about_two_and_a_half_times_smaller(open_page, teacher):
    app = open_page("distill")
    sizes = {one.label: one.value for one in app.metric}
    assert float(sizes["compression"].split()[0]) == pytest.approx(2.5, rel=0.02)
    chosen = widget(app.selectbox, "Network").value
    nearest = propose_students(teacher.card.teacher.spec, 10, teacher.card.input_shape)[0]
    assert chosen == teacher.students[0].spec == nearest.spec
    assert float(sizes["FLOPs ratio"].split()[0]) == pytest.approx(nearest.flops_ratio, abs=0.005)
    assert sizes["FLOPs"] == f"{nearest.flops / 1e6:.2f} M"


def test_another_compression_offers_and_takes_the_nearest_student(open_page, teacher, monkeypatch):
    asked = []

    def ask(spec, classes, image_shape, target):
        asked.append((spec, classes, image_shape, target))
        found = propose_students(spec, classes, image_shape, compression=target.compression)
        return tuple(describe_student(one.spec, classes, image_shape) for one in found)

    monkeypatch.setattr("app.cached.ask_proposals", ask)
    app = open_page("distill")
    assert asked == []  # the analysis suggests those of the first compression
    widget(app.number_input, "Compression wanted").set_value(4.0).run()
    assert asked == [(teacher.card.teacher.spec, 10, teacher.card.input_shape, Target(4.0))]
    sizes = {one.label: one.value for one in app.metric}
    assert float(sizes["compression"].split()[0]) == pytest.approx(4, rel=0.02)
    assert not app.exception and not app.error
    widget(app.number_input, "Compression wanted").set_value(0.5).run()
    assert "the compression must be a number above 1, such as 2.5; found `0.5`" in app.error[0].value
    assert {one.label: one.value for one in app.metric} == sizes


def test_a_student_that_misses_the_wanted_compression_is_remarked_on(open_page, teacher, monkeypatch):
    """As long as it is the one that was taken; not one that the reader chose."""

    def ask(spec, classes, image_shape, target):
        found = propose_students(spec, classes, image_shape, compression=target.compression)
        return tuple(describe_student(one.spec, classes, image_shape) for one in found)

    monkeypatch.setattr("app.cached.ask_proposals", ask)
    app = open_page("distill")
    assert not any("was wanted" in one.value for one in app.warning)
    widget(app.number_input, "Compression wanted").set_value(1e6).run()
    (said,) = (one.value for one in app.warning if "was wanted" in one.value)
    assert said.endswith(
        "than its teacher, where 1e+06 times was wanted; name another student to come nearer"
    )
    widget(app.selectbox, "Network").set_value(teacher.students[0].spec).run()
    assert not any("was wanted" in one.value for one in app.warning)


def test_compression_may_be_of_flops(open_page, teacher, monkeypatch):
    def ask(spec, classes, image_shape, target):
        found = propose_students(spec, classes, image_shape, compression=target.compression, by=target.by)
        return tuple(describe_student(one.spec, classes, image_shape) for one in found)

    monkeypatch.setattr("app.cached.ask_proposals", ask)
    app = open_page("distill")
    widget(app.selectbox, "Fewer").set_value("flops").run()
    sizes = {one.label: one.value for one in app.metric}
    assert float(sizes["FLOPs ratio"].split()[0]) == pytest.approx(2.5, rel=0.05)
    assert not app.exception and not app.error


def test_proposals_stand_beside_their_teacher_and_are_measured_on_demand(open_page, teacher, monkeypatch):
    asked = []

    def measure(specs, classes, image_shape):
        asked.append((list(specs), classes, image_shape))
        return tuple(0.004 / (place + 1) for place in range(len(specs)))

    monkeypatch.setattr("app.proposals.ask_latencies", measure)
    app = open_page("distill")
    table = app.dataframe[0].value
    names = [teacher.card.teacher.spec, *(one.spec for one in teacher.students[:3])]
    assert table["compression"].tolist() == pytest.approx(
        [1, *(teacher.card.parameters / one.parameters for one in teacher.students[:3])]
    )
    assert table["ms an image"].isna().all() and asked == []
    widget(app.button, "Measure latency").click().run()
    assert asked == [(names, 10, teacher.card.input_shape)]
    assert app.dataframe[0].value["ms an image"].tolist() == pytest.approx([4, 2, 4 / 3, 1])
    assert not app.exception and not app.error


def test_a_pair_of_the_plan_that_the_student_lacks_is_said_in_the_commands_words(
    open_page, teacher, monkeypatch
):
    """And one inside of a block, which nobody is offered, is taken as the command takes it."""
    monkeypatch.setattr("app.cached.ask_student", describe_student)
    plan = choose_hints(teacher)
    first, *_, last = plan.hint_points
    named = (Pair(first, "layer1.9"), Pair(last, "layer3.0.conv1"))
    app = open_page("distill")
    mine = app.session_state[KEY]
    mine.edit(plan.model_copy(update={"pairs": named}))
    mine.cook(student="zoo:resnet8")
    app.run()
    layers = describe_student("zoo:resnet8", 10, (3, 8, 8), ("layer1.9", "layer3.0.conv1")).layers
    with pytest.raises(InputError) as refused:
        check_pairs(named, plan.hint_points, layers)
    (said,) = [one.value for one in app.warning]
    assert str(refused.value).replace("`--pair`", "“Pairs”") in said
    assert said.endswith("Until then a default pair takes its place.")
    rows = app.dataframe[1].value
    assert rows["guided"].tolist()[-1] == "layer3.0.conv1" and startable(app)
    mine.guide(first, "layer1.0")
    app.run()
    assert not app.warning


def test_what_is_seldom_changed_reaches_the_run(open_page, teacher, launched, monkeypatch):
    monkeypatch.setattr("app.cached.ask_training_images", lambda data, data_id: 1000)
    app = open_page("distill")
    widget(app.number_input, "Average weights").set_value(0.99).run()
    widget(app.number_input, "Kept views").set_value(2).run()
    # logits, and an attention map at each of the three hint points: in half precision
    hints = choose_hints(teacher).hint_points
    sizes = [layer.shape for layer in teacher.layers if layer.name in hints]
    needed = 2 * 2 * 1000 * (10 + sum(height * width for _, height, width in sizes))
    assert f"{in_bytes(needed)} of disk for 2 views of 1,000 images. The teacher runs in 2 of 30" in texts(
        app
    )
    assert "weights averaged by 0.99 · 2 kept views" in texts(app) and "--keep-targets 2" in texts(app)
    widget(app.button, "Start distillation").click().run()
    settings = list_runs()[0].run_settings
    assert (settings.ema, settings.keep_targets, settings.mix) == (0.99, 2, "none")
    app = open_page("distill")
    app.session_state[KEY].cook(keep_targets=2, targets_limit=1e-4)
    app.run()
    assert "more than the 100.0 kB of “At most, in GB”; raise it" in app.warning[0].value
    app.session_state[KEY].cook(keep_targets=None, hint_loss="crd", mix="mixup")
    app.run()
    assert "`crd` needs one class for each image, and `mixup` blends two" in app.error[0].value


def test_a_student_of_an_older_analysis_is_asked_for_its_flops(open_page, teacher, monkeypatch):
    old = [one.as_dict() for one in teacher.students]
    for fields in old:
        del fields["flops"]
    write_json(teacher.path / "students.json", old)
    fields = read_json(teacher.path / "analysis.json")
    del fields["flops"]
    write_json(teacher.path / "analysis.json", fields)
    monkeypatch.setattr("app.cached.ask_student", describe_student)
    sizes = {one.label: one.value for one in open_page("distill").metric}
    assert float(sizes["FLOPs ratio"].split()[0]) == pytest.approx(2.46, abs=0.01)


def test_a_student_larger_than_its_teacher_is_remarked_on(open_page, teacher, monkeypatch):
    monkeypatch.setattr("app.cached.ask_student", describe_student)
    app = open_page("distill")
    app.session_state[KEY].cook(student="zoo:resnet56?width=1.5")
    app.run()
    assert "This student is larger than its teacher." in [one.value for one in app.warning]


def test_pairs_that_cross_need_a_tick(open_page, teacher):
    app = open_page("distill")
    assert startable(app) and not [one for one in app.checkbox if one.label == "Let pairs cross"]
    mine, card = app.session_state[KEY], teacher.students[0]
    mine.guide(choose_hints(teacher).hint_points[0], card.layers[-1].name)
    app.run()
    assert "cross: in the teacher" in app.error[0].value and "“Let pairs cross”" in app.error[0].value
    assert not startable(app)
    widget(app.checkbox, "Let pairs cross").check().run()
    assert not app.error and startable(app) and "--allow-crossing" in texts(app)
    mine.cook(student=teacher.students[1].spec)
    app.run()
    assert not app.session_state[KEY].recipe.allow_crossing and "--allow-crossing" not in texts(app)


def test_a_typed_student_is_asked_for_and_refused_in_one_line(open_page, teacher, monkeypatch):
    def ask(spec, classes, image_shape):
        if spec != "zoo:resnet14":
            raise InputError(f"unknown zoo model `{spec}`: did you mean `resnet14`?")
        return StudentCard(spec, 1000, teacher.students[0].layers, 10**6)

    monkeypatch.setattr("app.cached.ask_student", ask)
    app = open_page("distill")
    app.session_state[KEY].cook(student="resnet15")
    app.run()
    assert not app.exception and "did you mean `resnet14`?" in app.error[0].value
    assert widget(app.button, "Start distillation").disabled
    app.session_state[KEY].cook(student="zoo:resnet14")
    app.run()
    assert not app.error and not widget(app.button, "Start distillation").disabled


def test_the_formula_follows_the_losses_and_weights(open_page, teacher):
    app = open_page("distill")
    assert r"\alpha\,\underbrace{\mathcal{L}_{\text{logit}}}" in app.latex[0].value
    assert app.latex[1].value.strip("$\n ").endswith("1 : 1 : 0.5")
    widget(app.selectbox, "Weights").set_value("fixed").run()
    widget(app.number_input, "β of L_hint").set_value(200.0).run()
    assert r"200\,\underbrace{\mathcal{L}_{\text{hint}}}" in app.latex[0].value and len(app.latex) == 1
    widget(app.selectbox, "Hint loss").set_value("none").run()
    assert "hint" not in app.latex[0].value
    assert not app.exception and not app.error


def test_a_preset_shows_its_numbers_and_brings_its_logit_loss(open_page, teacher):
    app = open_page("distill")
    weights = widget(app.selectbox, "Weights")
    assert weights.options == [
        "Balanced",
        "Fixed",
        "pursuhint-cifar100",
        "pursuhint-imagenet",
        "repdistiller-at",
    ]
    weights.set_value("pursuhint-cifar100").run()
    assert (
        app.latex[0].value.count(r"1.5\,\underbrace{\mathcal{L}_{\text{logit}}}") == 1 and len(app.latex) == 1
    )
    assert widget(app.number_input, "α of L_logit").disabled
    widget(app.selectbox, "Weights").set_value("repdistiller-at").run()
    assert (
        r"1000\,\underbrace{\mathcal{L}_{\text{hint}}}" in app.latex[0].value
        and "logit" not in app.latex[0].value
    )
    assert widget(app.selectbox, "Logit loss").value == "none"
    assert not app.exception and not app.error


@pytest.mark.parametrize("change", [{"hint_loss": "fitnet"}, {"logit_loss": "kd"}])
def test_a_preset_for_other_losses_is_left(change):
    mine = AppState()
    mine.cook(weights="repdistiller-at", logit_loss="none")
    assert mine.recipe.numbers == Numbers(1, 0, 1000)
    mine.cook(**change)
    assert (mine.recipe.weights, mine.recipe.numbers) == ("balanced", mine.recipe.shares)


def test_a_logit_loss_comes_with_its_usual_temperature(open_page, teacher):
    app = open_page("distill")
    widget(app.selectbox, "Logit loss").set_value("kd-std").run()
    assert widget(app.number_input, "Temperature T").value == 2.0
    assert not app.exception and not app.error


@pytest.mark.parametrize(
    ("label", "wrong", "said"),
    [
        ("Epochs", -5, "Epochs: expected at least 1, found -5; the former value stays"),
        ("Temperature T", 0.0, "Temperature T: expected 0.5 to 20, found 0; the former value stays"),
        ("share of L_hint", -1.0, "share of L_hint: expected at least 0, found -1; the former value stays"),
        ("Average weights", 1.5, "Average weights: expected 0 to 0.9999, found 1.5; the former value stays"),
        ("Epochs", None, "Epochs: expected at least 1, found nothing; the former value stays"),
    ],
)
def test_a_number_beyond_its_limits_is_refused_in_words(open_page, teacher, label, wrong, said):
    app = open_page("distill")
    before = widget(app.number_input, label).value
    widget(app.number_input, label).set_value(wrong).run()
    assert [one.value for one in app.error] == [said]
    assert widget(app.number_input, label).value == before
    assert not app.run().error


@pytest.mark.parametrize(
    ("label", "field", "given"),
    [("CPU threads", "threads", 2), ("Average weights", "ema", 0.99), ("Kept views", "keep_targets", 3)],
)
def test_what_need_not_be_given_can_be_emptied_again(open_page, teacher, label, field, given):
    app = open_page("distill")
    for value in (given, None):
        widget(app.number_input, label).set_value(value).run()
        assert getattr(app.session_state[KEY].recipe, field) == value
        assert not app.error


def test_a_recipe_fills_the_numbers_and_says_its_steps(open_page, teacher, launched):
    app = open_page("distill")
    widget(app.selectbox, "Recipe").set_value("imagenet").run()
    shown = {
        label: widget(app.number_input, label).value for label in ("Epochs", "Batch size", "Learning rate")
    }
    assert shown == {"Epochs": 100, "Batch size": 256, "Learning rate": 0.1}
    widget(app.number_input, "Epochs").set_value(10).run()
    assert "rate × 0.1 after epochs 3, 6, 9" in texts(app)
    widget(app.button, "Start distillation").click().run()
    settings = list_runs()[0].run_settings
    assert (settings.recipe, settings.epochs, settings.schedule, settings.weight_decay) == (
        "imagenet",
        10,
        "step",
        1e-4,
    )


def test_weights_change_over_the_run_as_chosen(open_page, teacher, launched):
    app = open_page("distill")
    widget(app.selectbox, "β of L_hint").set_value("decay").run()
    app.session_state[KEY].cook(logit_schedule="warmup:12")
    app.run()
    assert widget(app.selectbox, "α of L_logit").value == "warmup:12"
    widget(app.button, "Start distillation").click().run()
    schedules = list_runs()[0].run_settings.weight_schedule
    assert (schedules.logit, schedules.hint) == ("warmup:12", "decay")
    app = open_page("distill")
    app.session_state[KEY].cook(hint_schedule="sometimes")
    app.run()
    assert "a weight's schedule is `constant`, `decay` or `warmup:EPOCHS`" in app.error[0].value


def test_weights_that_cannot_be_used_say_so(open_page, teacher):
    app = open_page("distill")
    widget(app.number_input, "share of L_hint").set_value(0.0).run()
    assert "the hint loss `at` has weight 0" in app.error[0].value
    assert not app.exception


def test_a_share_of_nothing_is_refused(open_page, teacher):
    app = open_page("distill")
    widget(app.number_input, "share of L_cls").set_value(0.0).run()
    assert not app.exception and "need a share of L_cls above 0" in app.error[0].value
    assert not [one for one in app.button if one.label == "Start distillation" and not one.disabled]


def test_every_hint_point_has_a_pair_with_both_shapes(open_page, teacher):
    app = open_page("distill")
    rows = app.dataframe[1].value
    assert rows["hint"].tolist() == list(choose_hints(teacher).hint_points)
    assert rows["hint shape"].tolist()[0] == "16 × 8 × 8" and rows["guided shape"].tolist()[0]


def test_the_pairs_say_how_they_meet(open_page, teacher):
    app = open_page("distill")
    assert set(app.dataframe[1].value["adapter"]) == {"none"}
    widget(app.selectbox, "Hint loss").set_value("fitnet").run()
    assert app.dataframe[1].value["adapter"].str.startswith("1x1 convolution ").all()
    assert any("usual fixed weight 100" in one.value for one in app.caption)


def test_pairs_that_cannot_meet_are_refused_where_they_can_be_changed(open_page, teacher, monkeypatch):
    def ask(spec, classes, image_shape):
        flat = tuple(replace(layer, shape=(8,)) for layer in teacher.students[0].layers)
        return StudentCard(spec, 1000, flat, flops=1000)

    monkeypatch.setattr("app.cached.ask_student", ask)
    app = open_page("distill")
    app.session_state[KEY].cook(student="zoo:resnet14?width=0.75")
    app.run()
    assert not app.exception and "the hint loss `at` compares maps" in app.error[0].value
    assert set(app.dataframe[1].value["adapter"]) == {"–"}
    assert widget(app.button, "Start distillation").disabled
    widget(app.selectbox, "Hint loss").set_value("sp").run()
    assert not app.error and not widget(app.button, "Start distillation").disabled


def test_one_click_starts_one_run_and_goes_to_it(open_page, teacher, launched):
    app = open_page("distill")
    widget(app.number_input, "Epochs").set_value(4).run()
    start = widget(app.button, "Start distillation")
    start.click().run()
    assert not app.exception and len(launched) == len(list_runs()) == 1
    assert launched[0] in str(app.query_params["run"])
    settings = list_runs()[0].run_settings
    assert settings.epochs == 4 and settings.plan.hint_points == choose_hints(teacher).hint_points
    assert [pair.hint for pair in settings.pairs] == list(settings.plan.hint_points)


def test_the_recipe_is_there_again_after_another_page(open_page, teacher):
    app = open_page("distill")
    widget(app.number_input, "Epochs").set_value(9).run()
    app.switch_page("../pages/runs.py").run()
    app.switch_page("../pages/distill.py").run()
    assert widget(app.number_input, "Epochs").value == 9


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(),
        Recipe(hint_loss="none", epochs=3, seed=5, threads=1, name="KD, plain"),
        Recipe(hint_loss="fitnet", logit_loss="none", weights="fixed", temperature=2.5, learning_rate=0.01),
        Recipe(shares=Numbers(2, 1, 0.25), batch_size=128, allow_crossing=True),
        Recipe(training="cifar", epochs=24, label_smoothing=0.1, logit_loss="kd-std", temperature=2.0),
        Recipe(weights="pursuhint-cifar100", hint_schedule="decay", logit_schedule="warmup:20"),
        Recipe(weights="repdistiller-fitnet", hint_loss="fitnet", logit_loss="none", logit_schedule="decay"),
        Recipe(training="imagenet", logit_loss="wsl", weights="fixed", fixed=Numbers(1, 2.5, 0.01)),
        Recipe(mix="mixup", ema=0.999, select="test", accumulate=2, precision="bf16-mixed", compile="both"),
        Recipe(keep_targets=3, targets_limit=0.5, compile="teacher"),
    ],
)
def test_the_command_starts_the_same_run(teacher, tmp_path, monkeypatch, recipe):
    from pursuhint.cli import app as command_line

    plan = choose_hints(teacher)
    pairs = tuple(Pair(hint, "layer1.0") for hint in plan.hint_points)
    student = describe_student("zoo:resnet8?width=0.25", 10, (3, 8, 8))
    wanted = launch.settings(recipe, plan, student, pairs, allow_weak_teacher=recipe.seed == 5)
    plan.save(tmp_path / "plan.json")
    found = []
    monkeypatch.setattr("pursuhint.cli.training._run", lambda settings, **_: found.append(settings))
    monkeypatch.chdir(tmp_path)
    words = shlex.split(launch.command(wanted).replace("\\\n", " "))
    assert words[0] == "pursuhint"
    result = CliRunner().invoke(command_line, words[1:])
    assert result.exit_code == 0, result.output
    assert found == [wanted]


def test_settings_that_cannot_be_used_are_refused_before_a_run_exists(teacher, launched):
    student = StudentCard("builtin:digits-resnet56", 1, ())
    with pytest.raises(InputError, match="is a trained teacher; choose a student"):
        launch.settings(Recipe(), choose_hints(teacher), student, ())
    assert not list_runs() and not launched


def test_explanations_name_the_kind_of_weights():
    assert losses.explanation(Recipe()).startswith("Balanced")
    assert losses.explanation(Recipe(weights="fixed")).startswith("Fixed")
    preset = losses.explanation(Recipe(weights="pursuhint-cifar100"))
    assert "Code Ocean capsule 4245746), CIFAR-100; reduction unverified" in preset


def test_the_page_shows_the_command(open_page, teacher):
    assert "pursuhint distill" in texts(open_page("distill"))


def test_a_dry_run_fills_the_formula_and_tells_the_time(open_page):
    """The process is the real one, on a training of one epoch."""
    app = open_page("distill")
    app.session_state[KEY].cook(student="zoo:resnet8?width=0.25", epochs=2, threads=1)
    app.run()
    assert len(app.latex) == 2
    widget(app.button, "Dry run").click().run(timeout=120)
    assert not app.exception and not app.error
    tried = app.session_state[KEY].tried[1]
    numbers = app.latex[2].value
    assert f"= {sum(tried.weighted.values()):.3g}" in numbers
    assert all(f"{part}, {100 * share:.0f} " in numbers for part, share in tried.shares.items())
    told = {one.label: one.value for one in app.metric}
    assert told["2 epochs"] == in_words(tried.run_seconds(2)) and told["an epoch"]
    widget(app.text_input, "Name").set_value("another name").run()
    assert len(app.latex) == 3, "a name changes nothing"
    widget(app.number_input, "Seed").set_value(1).run()
    assert len(app.latex) == 2, "other settings are another run"


def test_what_would_fail_is_said_before_the_start(open_page, launched):
    app = open_page("distill")
    app.session_state[KEY].cook(student="zoo:resnet8?width=0.25", batch_size=4096, threads=1)
    app.run()
    widget(app.button, "Dry run").click().run(timeout=120)
    assert "`batch_size` must be at most 1,000" in app.error[0].value.replace("1000", "1,000")
    assert not launched and startable(app)


def test_the_python_does_the_same_run(open_page, teacher, launched, tmp_path, monkeypatch):
    app = open_page("distill")
    mine = app.session_state[KEY]
    mine.cook(student="zoo:resnet8", hint_loss="fitnet", logit_loss="dkd", weights="fixed", ema=0.9, epochs=7)
    mine.guide(choose_hints(teacher).hint_points[0], "layer1.0")
    app.run()
    code = next(one.value for one in app.code if one.language == "python")
    widget(app.button, "Start distillation").click().run()
    wanted = list_runs()[0].run_settings
    wanted.plan.save(tmp_path / "plan.json")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("pursuhint.runs.worker.work", lambda run, **options: None)
    names: dict = {}
    exec(code, names)
    assert names["run"].run_settings == wanted
