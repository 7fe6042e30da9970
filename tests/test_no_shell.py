"""No text of a user reaches a shell or an interpreter: the calls that could do it are not there."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted(path for folder in ("pursuhint", "app", "pages") for path in (ROOT / folder).rglob("*.py"))
DANGEROUS = {
    *("eval", "exec", "compile", "__import__"),
    *("os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"),
    *("pickle.load", "pickle.loads", "pickle.Unpickler", "marshal.loads", "shelve.open", "yaml.load"),
    *("joblib.load", "np.fromregex", "runpy.run_path", "zipfile.ZipFile.extractall", "tempfile.mktemp"),
}


def offences(source: str) -> list[str]:
    """Return the calls in a module that hand text to a shell, an interpreter or an unpickler."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        arguments = {one.arg: ast.unparse(one.value) for one in node.keywords}
        if name in DANGEROUS or name.endswith((".extractall", ".extract")):
            found.append(name)
        if arguments.get("shell", "False") != "False":
            found.append(f"{name}(shell=...)")
        if name == "torch.load" and arguments.get("weights_only") != "True":
            found.append("torch.load without weights_only=True")
        if name in ("np.load", "numpy.load") and arguments.get("allow_pickle", "False") != "False":
            found.append("np.load with pickles")
    return found


@pytest.mark.parametrize("code", ["eval(x)", "run(x, shell=True)", "torch.load(p)", "a.extractall()"])
def test_each_kind_of_offence_is_seen(code: str):
    assert len(offences(code)) == 1


def test_no_module_hands_text_to_a_shell_an_interpreter_or_an_unpickler():
    assert len(SOURCES) > 200
    found = {str(path.relative_to(ROOT)): offences(path.read_text()) for path in SOURCES}
    assert {name: calls for name, calls in found.items() if calls} == {}
