"""The committed notebooks hold the outputs of their headline cells and nothing else."""

from __future__ import annotations

import json

from report_stub import code, write_notebook

from analysis.report import golden


def executed(path, *texts):
    cells = json.loads(path.read_text())["cells"]
    stream = iter(texts)
    for cell in cells:
        if cell["cell_type"] == "code":
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": next(stream)}]
    injected = {"cell_type": "code", "id": "injected-parameters", "source": "", "outputs": [], "metadata": {}}
    return [*cells[:2], injected, *cells[2:]]


def test_only_tagged_cells_keep_their_output_and_a_second_time_changes_nothing(tmp_path):
    path = write_notebook(tmp_path, "10_costs", code("show(1)"), code("findings", "finding", "keep_output"))
    assert golden._keep(path, executed(path, "", "exhibit", "headline"))
    cells = [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]
    assert [len(cell["outputs"]) for cell in cells] == [0, 0, 1]
    assert cells[2]["outputs"][0]["text"] == "headline"
    # nbval takes outputs without a count for a cell that was never run
    assert [cell["execution_count"] for cell in cells] == [None, None, 3]
    assert not golden._keep(path, executed(path, "", "exhibit", "headline"))
    assert golden._keep(path, executed(path, "", "exhibit", "another headline"))
