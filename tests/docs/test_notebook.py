"""The notebook runs from photos to answers, cell by cell; once more in a real kernel with the long tests."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "docs" / "notebooks" / "photos-to-identify.ipynb"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "species").symlink_to(ROOT / "species")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_its_cells_run_and_what_they_show_can_be_shown(desk: Path) -> None:
    names: dict[str, object] = {"display": lambda value: shown.append(value._repr_html_())}
    shown: list[str] = []
    for cell in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), cell["id"], "exec"), names)
    assert len(shown) == 5, "a table, a ranking, two times scores, a run"
    for one in shown:
        assert "<table" in one, one[:300]
    assert (desk / "by-hand" / "model.safetensors").is_file()


def test_it_is_kept_without_outputs() -> None:
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    assert all(not cell["outputs"] for cell in cells if cell["cell_type"] == "code")


@pytest.mark.stress
def test_it_runs_in_a_kernel(desk: Path) -> None:
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(desk)}}).execute()
