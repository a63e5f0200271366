"""A small simulated patient at two dates, as DICOM, shared by the tests of the jobs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from bonequant.phantom import Patient, follow_up, preset, simulate_patient, write_patient


@dataclass(frozen=True, eq=False)
class Dates:
    """``first`` and ``second``: folders with CT/ and SPECT/; ``patient``: the simulation of the first."""

    patient: Patient
    first: Path
    second: Path

    @property
    def facts(self) -> dict[str, Any]:
        """What DICOM cannot hold: the camera's calibration."""
        return {"calibration_factor_cps_per_mbq": self.patient.spect.acquisition.calibration_factor_cps_per_mbq}


@pytest.fixture(scope="session")
def dates(tmp_path_factory: pytest.TempPathFactory) -> Dates:
    """The second date is 90 days later: other pose, lesion_1 with half its uptake."""
    folder = tmp_path_factory.mktemp("dates")
    patient = simulate_patient(preset("small", seed=5))
    later, _ = follow_up(patient, {"lesion_4": 1.5}, days=90)
    return Dates(patient, write_patient(patient, folder / "first"), write_patient(later, folder / "second"))
