"""Names that would be programs if a page took them for markup: of runs, layers, classes, files, teachers."""

from __future__ import annotations

import json
import shutil
from urllib.parse import quote

import pytest

from pursuhint.analysis import BUILTIN_ANALYSIS, AnalysisFolder
from pursuhint.hints import choose_hints
from pursuhint.runs import create_run
from pursuhint.training.settings import make_settings

IMAGE = "<img src=x onerror=window.hacked=1>"
SCRIPT = "<script>window.hacked=2</script>"
LINK = "[x](javascript:window.hacked=3)"
DIRECTIVE = ":red[x] :material/bolt: $x$ ![y](y.png)"
HOSTILE = (IMAGE, SCRIPT, LINK, DIRECTIVE)
SHOWN = {
    "Teacher": "layer1.0",
    "Similarity": "alike by",
    "What a layer sees": f"{SCRIPT}1",
    "Hint points": "layer1.1.",
    "Runs": "no epoch was finished",
}
"""Page -> what stands on it once it is whole."""
FOUND = """() => {
  const all = [];
  const walk = (root) => root.querySelectorAll("*").forEach((one) => {
    all.push(one);
    if (one.shadowRoot) walk(one.shadowRoot);
  });
  walk(document);
  const made = "img[src='x'], img[src='y.png'], [onerror], a[href^=javascript], .katex";
  const words = (one) => [...one.childNodes].filter((node) => node.nodeType === 3)
    .map((node) => node.textContent).join("");
  return {
    hacked: window.hacked ?? null,
    made: all.filter((one) => one.matches(made)
      || (one.matches("a, span.stMarkdownColoredText") && one.textContent === "x")
      || (one.tagName === "SCRIPT" && one.textContent.includes("hacked"))
      || (one.matches("[data-testid=stIconMaterial]") && one.textContent === "bolt"))
      .map((one) => one.outerHTML),
    text: all.filter((one) => !one.matches("script, style")).map(words).join("\\n").replaceAll("\u2060", ""),
  };
}"""
"""What names made of a page, and its words, the inside of drawings included."""


@pytest.fixture
def analysis(tmp_path) -> AnalysisFolder:
    """The built-in teacher's analysis, its teacher, layers and classes called otherwise."""
    folder = tmp_path / IMAGE
    shutil.copytree(BUILTIN_ANALYSIS, folder)
    for name in ("matrices", "stability", "cross"):
        shutil.rmtree(folder / name, ignore_errors=True)
    card = json.loads((folder / "analysis.json").read_text(encoding="utf-8"))
    card["teacher"]["spec"] = f"zoo:{SCRIPT}"
    card["note"] = " ".join(HOSTILE)
    card["classes"] = [HOSTILE[index % 4] + str(index) for index in range(10)]
    card["layers"], card["checksums"] = card["layers"][:8], card["checksums"][:8]
    for index, layer in enumerate(card["layers"]):
        layer["name"] = f"{layer['name']}.{HOSTILE[index % 4]}"
        layer["type"] = IMAGE
    (folder / "analysis.json").write_text(json.dumps(card), encoding="utf-8")
    return AnalysisFolder(folder)


@pytest.fixture
def run(app, analysis):
    """A run of the hostile teacher with a hostile name, tag, reason, warning and log."""
    settings = make_settings(
        kind="distill",
        name=IMAGE + LINK,
        plan=choose_hints(analysis),
        student="zoo:resnet8",
        data="digits",
        preprocess="digits",
        hint_loss="at",
        logit_loss="kd",
    )
    run = create_run(settings, folder=app.home / "runs")
    run.label(tags=[SCRIPT[:30], LINK[:30]])
    run.journal.append("warning", text=f"{IMAGE} {LINK} {SCRIPT}")
    run.set_state("queued", reason="")
    run.set_state("failed", reason=f"{IMAGE} {LINK} {SCRIPT}")
    run.log.write_text(" ".join(HOSTILE), encoding="utf-8")
    yield run
    run.delete()


def test_names_are_text_wherever_they_are_shown(page, visit, idle, analysis, run):
    shown = set()
    visit(page, f"/?teacher={quote(str(analysis.path), safe='')}")
    for name, whole in SHOWN.items():
        page.get_by_test_id("stSidebarNav").get_by_role("link", name=name, exact=True).click()
        page.get_by_role(
            "heading", name=run.run_settings.name if name == "Runs" else name, exact=True
        ).wait_for()
        page.get_by_text(whole).first.wait_for(state="attached")
        idle(page)
        found = page.evaluate(FOUND)
        assert (name, found["hacked"], found["made"]) == (name, None, [])
        shown |= {(name, one) for one in HOSTILE if one in found["text"]}
    assert {one for _, one in shown} == set(HOSTILE)
    assert {name for name, _ in shown} == set(SHOWN)
