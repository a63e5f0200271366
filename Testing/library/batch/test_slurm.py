"""SLURM without a cluster: ``sbatch`` and ``scancel`` are stand-ins that run the job's script on this machine."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

import pytest
from bonequant.batch import EngineSettings, SlurmSettings, read_manifest, run_cohort

from .conftest import SETTINGS
from .test_engine import events

SBATCH = """#!/bin/bash
cp "$1" "{folder}/$$.sh"
setsid bash "{folder}/$$.sh" > /dev/null 2>&1 < /dev/null &
echo $! >> "{folder}/jobs"
echo "Submitted batch job $!"
"""
SCANCEL = """#!/bin/bash
for job in "$@"; do kill -KILL -- "-$job" 2> /dev/null; done
exit 0
"""


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = tmp_path / "slurm"
    folder.mkdir()
    for name, text in (("sbatch", SBATCH), ("scancel", SCANCEL)):
        (folder / name).write_text(text.replace("{folder}", str(folder)))
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    yield folder
    for job in _jobs(folder):
        _end(job)


def test_a_cohort_on_slurm_whose_job_comes_to_its_end(slurm, tiny_cohort, tmp_path):
    """The only job is ended after the first patient, as at its walltime; another one is asked for, nothing is lost."""
    cases = read_manifest(tiny_cohort(4), "marrow", settings=SETTINGS).checked()
    out = tmp_path / "out"
    ended: list[int] = []

    def walltime(fraction: float, message: str) -> None:
        if not ended and len(events(out, "case")) == 1:
            ended.extend(_jobs(slurm))
            _end(ended[0])

    engine = EngineSettings(slurm=SlurmSettings(jobs=1, memory_gb=1.0, walltime="00:10:00", interface="lo"))
    result = run_cohort(cases, out, engine, walltime)
    assert not result.failed
    assert sorted(event["case"] for event in events(out, "case")) == [case.key for case in cases.cases]
    assert len(_jobs(slurm)) == 2
    (first, _) = [path.read_text() for path in slurm.glob("*.sh")]
    assert "export DASK_DISTRIBUTED__WORKER__MEMORY__PAUSE=False" in first


def _jobs(folder: Path) -> list[int]:
    return [int(line) for line in (folder / "jobs").read_text().split()] if (folder / "jobs").exists() else []


def _end(job: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(job, signal.SIGKILL)
