"""Tables, outliers, the report and the log: right numbers, harmless cells, nobody's name."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest
from bonequant.batch import Case, Outcome, read_manifest
from bonequant.batch.jobs import job_named
from bonequant.batch.log import Log
from bonequant.batch.outliers import modified_z
from bonequant.batch.pace import Pace, what_are
from bonequant.batch.redact import with_columns, without_paths
from bonequant.batch.report import page
from bonequant.batch.table import case_rows, write_tables
from bonequant.errors import InputError
from bonequant.report import render
from bonequant.studies.marrow_perfusion import MarrowSettings


def test_csv_and_parquet_hold_the_same_in_full_precision(tmp_path):
    rows = [
        {"patient": "A", "mean": 1 / 3, "count": 2, "found": True, "text": "=1+1"},
        {"patient": "B", "mean": None, "count": None, "found": None, "late": "x"},
    ]
    write_tables(tmp_path / "t", rows)
    table = pyarrow.parquet.read_table(tmp_path / "t.parquet").to_pylist()
    assert table[0] == {**rows[0], "late": None}
    assert table[1]["mean"] is None
    lines = (tmp_path / "t.csv").read_text().splitlines()
    assert lines == ["patient,mean,count,found,text,late", "A,0.3333333333333333,2,True,'=1+1,", "B,,,,,x"]
    first = [(tmp_path / f"t.{suffix}").read_bytes() for suffix in ("csv", "parquet")]
    write_tables(tmp_path / "t", rows)
    assert [(tmp_path / f"t.{suffix}").read_bytes() for suffix in ("csv", "parquet")] == first


def test_modified_z_score_of_a_worked_example():
    """Values 1 to 9 and 30: median 5.5, MAD 2.5, so 30 has z = 0.6745 * 24.5 / 2.5 = 6.6101."""
    z = modified_z([*map(float, range(1, 10)), 30.0])
    np.testing.assert_allclose(z[-1], 0.6745 * 24.5 / 2.5, rtol=1e-12)
    assert (np.abs(z[:-1]) < 3.5).all()


def test_modified_z_score_without_spread_or_with_few_values():
    assert np.isnan(modified_z([1.0] * 20)).all()
    assert np.isnan(modified_z([1.0, 2.0, 300.0])).all()
    z = modified_z([5.0] * 19 + [6.0, None])  # MAD 0: by the mean absolute deviation, 1/20
    np.testing.assert_allclose(z[19], 1 / (1.2533 / 20), rtol=1e-12)
    assert np.isnan(z[20])


def cohort_rows(count: int) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    chance = np.random.default_rng(5)
    names = [f"P{number:03d}" for number in range(count)]
    rows = [
        {"patient": name, "visit": "", "region": region, "unit": "SUVbw", "mean": float(mean), "volume_ml": 10.0}
        for name in names
        for region, mean in (("marrow", chance.normal(4, 0.2)), ("liver", chance.normal(1, 0.1)))
    ]
    rows[0]["mean"] = 40.0  # a wrong dose
    cases = [{"patient": n, "visit": "", "status": "done", "reason": "", "bone_overlap": 0.8} for n in names]
    return rows, cases


def test_report_names_outliers_and_failures_and_escapes_everything():
    rows, cases = cohort_rows(12)
    cases.append({"patient": "P<1>", "visit": "", "status": "failed", "reason": "<script>alert(1)</script>"})
    found = page(job_named("marrow"), rows, cases, {"done": 12, "rows": 24, "code": "c", "versions": {}})
    assert [section.title for section in found.sections][:3] == ["Failures", "Distributions", "Unusual cases"]
    (flagged,) = found.sections[2].blocks[1].rows
    assert (flagged["patient"], flagged["what"], flagged["value"]) == ("P000", "mean uptake of marrow", 40.0)
    html = render(found)
    assert "<script>alert" not in html
    assert "P&lt;1&gt;" in html


def test_report_of_nothing_but_failures():
    cases = [{"patient": "A", "visit": "", "status": "failed", "reason": "why"}]
    summary = {"done": 0, "rows": 0, "code": "c", "versions": {}}
    assert "1 of 1 patients have no result" in render(page(job_named("marrow"), [], cases, summary))


def test_report_counts_visits_and_says_what_was_not_assessed():
    """Two visits of four patients: nothing can be called usual yet."""
    rows = [
        {"patient": f"P{k // 2}", "visit": f"v{k % 2}", "region": "marrow", "unit": "SUVbw", "mean": 4.0 + k}
        for k in range(7)
    ]
    cases = [{"patient": row["patient"], "visit": row["visit"], "status": "done", "reason": ""} for row in rows]
    cases.append({"patient": "P3", "visit": "v1", "status": "failed", "reason": "why"})
    found = page(job_named("marrow"), rows, cases, {"done": 7, "rows": 7, "code": "c", "versions": {}})
    assert found.subtitle == "8 visits of 4 patients"
    assert found.notices[0].text == "1 of 8 visits of 4 patients have no result; see Failures."
    _failures, distributions, unusual = found.sections[:3]
    (table,) = (block for block in distributions.blocks if block.kind == "table")
    assert (table.columns["name"], table.columns["n"], table.rows[0]["n"]) == ("Region", "Visits", 7)
    assert unusual.blocks[1].level == "note"
    assert unusual.blocks[1].text == "Not assessed, 7 visits of 4 patients (8 needed)."


def test_report_of_ordinary_patients_says_that_none_is_unusual():
    rows, cases = cohort_rows(8)
    rows[0]["mean"] = 4.0
    found = page(job_named("marrow"), rows, cases, {"done": 8, "rows": 16, "code": "c", "versions": {}})
    assert found.subtitle == "8 patients"
    (unusual,) = (section for section in found.sections if section.title == "Unusual cases")
    assert (unusual.blocks[1].level, unusual.blocks[1].text) == ("ok", "None.")


def test_groups_of_the_response_job_are_dates_and_its_lesions_values():
    rows = [
        {"patient": f"P{k}", "visit": "", "date": "after", "lesion": lesion, "volume_ml": 1.0 + k}
        for k in range(3)
        for lesion in (1, 2)
    ]
    cases = [{"patient": f"P{k}", "visit": "", "status": "done", "reason": ""} for k in range(3)]
    found = page(job_named("response"), rows, cases, {"done": 3, "rows": 6, "code": "c", "versions": {}})
    (table,) = (block for block in found.sections[0].blocks if block.kind == "table")
    assert (table.columns["name"], table.columns["n"]) == ("Date", "Values")


@pytest.mark.parametrize(
    ("job", "text", "due"),
    [
        ("dce", "volumes (--t1-series), a map (--t1-map) or --set x=1", "volumes (column t1_series), a map (column "
         "t1_map) or --set x=1"),
        ("dce", "give --mask; --fact a=1", "give column masks; --fact a=1"),
        ("response", "say so (--confirm-same-patient)", "say so (column confirm_same_patient)"),
        ("marrow", "no --t1-series here", "no --t1-series here"),
    ],
)  # fmt: skip
def test_options_of_a_jobs_command_are_columns_in_a_cohort(job, text, due):
    assert with_columns(text, job_named(job)) == due


def test_messages_lose_their_paths(tmp_path):
    scans = tmp_path / "DOE JOHN" / "CT"
    scans.mkdir(parents=True)
    files = [scans / f"DOE^JOHN.{number:02d}.dcm" for number in range(1, 21)]
    case = Case("P1", MarrowSettings(), paths={"ct": (scans,), "spect": (tmp_path / "DOE JOHN" / "nm.dcm",)})
    found = {"ct": files, "spect": [tmp_path / "DOE JOHN" / "nm.dcm"]}

    def clean(text: object) -> str:
        return without_paths(str(text), case, found)

    assert clean(f"{files[16]} is truncated") == "<ct file 17 of 20> is truncated"
    assert clean("damaged (DOE^JOHN.03.dcm ...)\nCopy again.") == "damaged (<ct file 3 of 20> ...) Copy again."
    assert clean(f"{scans} holds no CT series") == "<ct> holds no CT series"
    assert clean(f"{case.paths['spect'][0]}: no unit") == "<spect>: no unit"
    assert clean("[Errno 28] full: '/home/doe/x.nrrd'") == "[Errno 28] full: '<path>'"
    assert clean("1/2 of Bq/mL and/or a CT") == "1/2 of Bq/mL and/or a CT"


def test_messages_lose_folders_within_and_above_the_data(tmp_path):
    """Folders with blanks, files of a bare name, and places behind links."""
    scans = tmp_path / "DOE JOHN" / "CT"
    (scans / "SMITH JANE").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "DOE JOHN")
    files = [scans / "SMITH JANE" / "SMITH", scans / "SMITH JANE" / "CT"]
    case = Case("P1", MarrowSettings(), paths={"ct": (scans,), "masks": (tmp_path / "link",)})

    def clean(text: object) -> str:
        return without_paths(str(text), case, {"ct": files})

    assert clean(f"{scans / 'SMITH JANE'} holds two series") == "<path> holds two series"
    assert clean(f"{scans.parent} is gone") == "<masks> is gone"
    assert clean("SMITH: broken off; the CT is not") == "<ct file 1 of 2>: broken off; the CT is not"


def test_rows_that_could_not_run_are_one_each_and_hold_no_cell(tmp_path):
    (tmp_path / "m.csv").write_text("patient,spect,mask_on\nDOE^JOHN,DOE JOHN/spect,above\nP2,/data/DOE JOHN/x,\n")
    found = read_manifest(tmp_path / "m.csv", "marrow")
    assert len(found.problems) == 4
    rows = case_rows(found, {}, {})
    assert [(row["patient"], row["visit"]) for row in rows] == [("", ""), ("P2", "")]  # a sound pseudonym is kept
    assert [row["reason"].split(",")[1] for row in rows] == [" line 2", " line 3"]
    assert "DOE" not in str(rows)
    assert "does not exist" in rows[1]["reason"]
    summary = {"done": 0, "rows": 0, "code": "c", "versions": {}}
    assert "2 of 2 patients have no result" in render(page(job_named("marrow"), [], rows, summary))


def test_a_log_on_a_full_disk_is_one_clear_error():
    if not Path("/dev/full").exists():
        pytest.skip("/dev/full is Linux's")
    with pytest.raises(InputError, match="No space left"), Log(Path("/dev/full"), "run") as log:
        log.write("start")


def test_log_is_one_object_a_line_even_after_a_broken_one(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text('{"event": "ca')
    with Log(path, "run") as log:
        log.outcome(Outcome("P1", "failed", "why", "InputError", 2.5, 300.0, "host:1"))
    _broken, line = path.read_text().splitlines()
    event = json.loads(line)
    assert (event["case"], event["status"], event["reason"], event["seconds"]) == ("P1", "failed", "why", 2.5)


def test_pace_counts_what_was_computed():
    now = [0.0]
    pace = Pace(10, lambda: now[0])
    pace.add("unchanged")
    assert pace.line() == "1 of 10 patients"
    now[0] = 120.0
    pace.add("done")
    pace.add("failed")
    assert pace.line() == "3 of 10 patients, 1 failed, 1.0 per min, 7 min left"
    assert pace.fraction == 0.3


def test_cases_are_patients_or_visits_of_patients():
    assert what_are(["A", "B", ""]) == "patients"
    assert what_are(["A", "A", "B", "", ""]) == "visits of 4 patients"
    pace = Pace(8, what=what_are(["A", "A", "B", "B", "C", "C", "D", "D"]))
    assert pace.line() == "0 of 8 visits of 4 patients"
