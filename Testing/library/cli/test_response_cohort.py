"""``bonequant response-cohort``: a report, or one clear line, exit code 2 and nothing on the disk."""

from __future__ import annotations

import os

import pytest
from bonequant.cli import main

GOOD = "id,outcome,vp_before,vp_after,size_call\n" + "".join(
    f"{k},{'failure' if k < 3 else 'success'},1,{1.5 - 0.2 * k},success\n" for k in range(7)
)


def run(monkeypatch, *arguments):
    monkeypatch.setattr("sys.argv", ["bonequant", "response-cohort", *map(str, arguments)])
    with pytest.raises(SystemExit) as stop:
        main()
    return stop.value.code


def test_a_report_is_written(tmp_path, monkeypatch, capsys):
    (tmp_path / "t.csv").write_text(GOOD)
    code = run(monkeypatch, tmp_path / "t.csv", "--out", tmp_path / "out", "--set", "resamples=100")
    assert code in (0, None)
    assert capsys.readouterr().out.strip().endswith("report.html")
    assert (tmp_path / "out" / "report.html").is_file()


@pytest.mark.parametrize(
    ("text", "extra", "says"),
    [
        (None, (), "t.csv does not exist."),
        ("", (), "no column id"),
        ("id,outcome\n1,failure\n2,success\n", (), "neither a measure"),
        ("id,outcome,vp\n1,failure,2\n", (), "unknown column 'vp'"),
        ("id,outcome,vp_change_percent\n", (), "lists no case"),
        (
            "id,outcome,vp_change_percent\n1,failure,x\n2,success,1\n",
            (),
            "line 2: vp_change_percent should be a number",
        ),
        ("id,outcome,vp_change_percent\n1,failure,1\n1,success,1\n", (), "line 3: the id 1 is there twice"),
        ("id,outcome,vp_change_percent\n1,failure,1\n2,,1\n", (), "line 3: outcome is empty"),
        ("id,outcome,vp_change_percent\n1,a,1\n2,b,1\n3,c,1\n", (), "line 4: outcome 'c' is a third word"),
        ("id,outcome,vp_change_percent\n1,failure,1\n2,failure,1\n", (), "every outcome is 'failure'"),
        ("id,outcome,vp_call\n1,failure,PD\n2,success,success\n", (), "line 2: vp_call is 'PD'"),
        ("id,outcome,a_before,a_after,a_change_percent\n1,failure,1,2,50\n2,success,1,2,100\n", (), "before and after"),
        ("id,outcome,id\n1,failure,1\n", (), "id twice"),
        ("id,outcome,vp_change_percent\n1,failure,1,2\n", (), "line 2: 4 cells for 3 columns"),
        ("id,outcome,vp_change_percent\n1,failure,\n2,success,\n", (), "No measure and no call"),
        (
            GOOD.replace("size_call", "followed_days").replace("success\n", "-3\n"),
            (),
            "line 2: followed_days and failed",
        ),
        (
            "id,outcome,vp_change_percent,followed_days,failed_day\n1,failure,9,90,91\n2,success,-50,60,\n",
            (),
            "line 2: failed_day 91 lies after the 90 days",
        ),
        (GOOD, ("--set", "positive=PD"), "outcomes are failure and success"),
        (GOOD, ("--set", "primary=adc"), "the measures are vp"),
        (GOOD, ("--set", "cutoffs_percent.vp=-400"), "-100 to 1000 % is due"),
        (GOOD, ("--set", "cutoffs_percent.vq=-20"), "no measure vq; its measures are vp"),
        (GOOD, ("--set", "cutoff=3"), "no setting cutoff"),
    ],
)
def test_bad_input(text, extra, says, tmp_path, monkeypatch, capsys):
    (tmp_path / "results").mkdir()
    if text is not None:
        (tmp_path / "t.csv").write_text(text)
    assert run(monkeypatch, tmp_path / "t.csv", "--out", tmp_path / "results" / "out", *extra) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("bonequant: ")]
    assert len(lines) == 1 and says in lines[0]
    assert os.listdir(tmp_path / "results") == []
