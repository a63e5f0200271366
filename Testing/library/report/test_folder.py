"""A results folder is whole or absent."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from bonequant.errors import InputError
from bonequant.report import results_folder


def test_nothing_is_left_when_the_job_fails(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), results_folder(tmp_path / "out") as folder:
        (folder / "result.json").write_text("{}")
        raise RuntimeError
    assert os.listdir(tmp_path) == []


def test_a_former_result_survives_a_failing_run_and_is_replaced_by_a_good_one(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with results_folder(out) as folder:
        (folder / "result.json").write_text("first")
    with pytest.raises(InputError, match="already exists"), results_folder(out):
        pytest.fail("the block must not be entered")
    with pytest.raises(RuntimeError), results_folder(out, overwrite=True):
        raise RuntimeError
    assert (out / "result.json").read_text() == "first"
    with results_folder(out, overwrite=True) as folder:
        (folder / "result.json").write_text("second")
    assert (out / "result.json").read_text() == "second"
    assert os.listdir(tmp_path) == ["out"]


def test_a_folder_of_the_user_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis.docx").write_text("years of work")
    with pytest.raises(InputError, match="not a BoneQuant result"), results_folder(tmp_path, overwrite=True):
        pytest.fail("the block must not be entered")
    assert (tmp_path / "thesis.docx").exists()


def test_an_unwritable_place_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="Cannot write"), results_folder(tmp_path / "file" / "out"):
        pytest.fail("the block must not be entered")
