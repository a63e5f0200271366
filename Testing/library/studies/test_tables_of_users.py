"""Every table that a user writes is read alike: separators, byte order mark, quotes, columns given twice, numbers."""

from __future__ import annotations

from pathlib import Path

import pytest
from bonequant.batch.manifest import read_manifest
from bonequant.errors import InputError
from bonequant.response import read_evidence
from bonequant.studies import response_cohort, treatment_response
from bonequant.studies.diagnostic_model.csv_file import read_csv
from bonequant.studies.lesion_radiomics.lesion_list import read_lesion_list
from bonequant.studies.liver_perfusion import read_maa_table
from bonequant.studies.marrow_perfusion import read_gold_standard

TABLES = {
    "gold standard": (read_gold_standard, ["region", "value"], [["marrow", "1.5"], ["spine", "2"]]),
    "MAA": (read_maa_table, ["lesion", "ratio"], [["tumour 1", "1.5"], ["tumour 2", "2"]]),
    "lesions": (read_lesion_list, ["lesion_id", "label"], [["a", "benign"], ["b", "malignant"]]),
    "features": (lambda path: read_csv(path).rows, ["lesion_id", "x"], [["a", "1"], ["b", "2"]]),
    "links": (treatment_response.read_links, ["before", "after"], [["a", "b"], ["c", "d"]]),
    "evidence": (
        lambda path: [(row.id, row.evidence) for row in read_evidence(path)],
        ["id", "criterion", "volume_before_ml"],
        [["a", "recip", "3"], ["b", "recip", "4"]],
    ),
    "cohort": (
        lambda path: response_cohort.read_inputs(path).cases,
        ["id", "outcome", "vp_change_percent"],
        [["a", "failure", "3"], ["b", "success", "-50"]],
    ),
    "manifest": (
        lambda path: [case.id for case in read_manifest(path, "marrow").cases],
        ["patient", "spect", "ct"],
        [["a", "x", "y"], ["b", "z", "w"]],
    ),
}


def table(path: Path, columns: list[str], rows: list[list[str]], separator: str = ",", before: str = "") -> Path:
    text = "\r\n".join(separator.join(f'"{cell}"' for cell in row) for row in [columns, *rows])
    path.write_bytes((before + text).encode("utf-8-sig"))
    return path


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("separator", [";", "\t"])
def test_any_separator_quotes_and_a_byte_order_mark(name, separator, tmp_path):
    reader, columns, rows = TABLES[name]
    due = reader(table(tmp_path / "due.csv", columns, rows))
    assert reader(table(tmp_path / "due.csv", columns, rows, separator)) == due


@pytest.mark.parametrize("name", [name for name in TABLES if name not in ("manifest", "links")])
def test_a_column_twice_is_refused(name, tmp_path):
    reader, columns, rows = TABLES[name]
    with pytest.raises(InputError, match="twice"):
        reader(table(tmp_path / "t.csv", [*columns, columns[-1]], [[*row, row[-1]] for row in rows]))


@pytest.mark.parametrize("value", ["nan", "inf", "much"])
def test_a_gold_standard_is_made_of_numbers(value, tmp_path):
    with pytest.raises(InputError, match=r"line 2: .* is no number"):
        read_gold_standard(table(tmp_path / "t.csv", ["region", "value"], [["marrow", value]]))
