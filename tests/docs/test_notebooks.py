"""The example notebooks run top to bottom, and are stored with their outputs."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "docs" / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


def cells_of(path):
    return json.loads(path.read_text("utf-8"))["cells"]


def test_there_are_several():
    assert len(NOTEBOOKS) >= 4


@pytest.mark.filterwarnings("default::custvalue.exceptions.CustvalueWarning")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path, tmp_path, monkeypatch, request):
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    text = path.read_text("utf-8")
    if "fetch_online_retail" in text:
        import custvalue.datasets as datasets

        log = request.getfixturevalue("online_retail")  # skips where the data are not there
        monkeypatch.setattr(datasets, "fetch_online_retail", lambda: log)
    if "CUSTVALUE_DATA" in text and not Path(os.environ.get("CUSTVALUE_DATA", "-")).is_dir():
        pytest.skip("the public tables are not here; set CUSTVALUE_DATA to their folder")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "notebook", type(sys)("notebook"))
    space = vars(sys.modules["notebook"])
    for number, cell in enumerate(cells_of(path)):
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), f"{path.name}[{number}]", "exec"), space)
    plt.close("all")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_stored_executed_and_names_no_machine(path):
    code = [cell for cell in cells_of(path) if cell["cell_type"] == "code"]
    outputs = [output for cell in code for output in cell["outputs"]]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    assert any("text/html" in output.get("data", {}) for output in outputs)
    assert not [output for output in outputs if output["output_type"] == "error"]
    assert all(cell["execution_count"] for cell in code)
    text = path.read_text("utf-8")
    assert not re.search(r"/(?:home|root|tmp|opt|usr|work)/", text)
    assert len(text) < 300_000
