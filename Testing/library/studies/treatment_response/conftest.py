"""A small spine phantom before and after radiotherapy, simulated once: arrays for the job, DICOM for the command."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
import SimpleITK as sitk
from bonequant.io import write_segmentation
from bonequant.phantom import (
    SpineScan,
    simulate_spine,
    spine_follow_up,
    spine_preset,
    write_dynamic_series,
    write_mr_volume,
)
from bonequant.studies.dce_perfusion import DceInputs
from bonequant.studies.treatment_response import DateInputs

POSE = (2.0, -4.0, 9.0, 3.0, -1.0, 4.0)  # 10 mm and 5 degrees together


@dataclass(frozen=True, eq=False)
class Pair:
    """Both scans; ``date`` makes the inputs of one of them with the masks that are named."""

    before: SpineScan
    after: SpineScan

    def date(self, name: str, lesions: dict[str, sitk.Image] | None = None, **more: object) -> DateInputs:
        scan = getattr(self, name)
        found = {"lesion_1": scan.masks["lesion_1"]} if lesions is None else lesions
        return DateInputs(name, DceInputs(scan.series, t1_map=scan.t1, name=name), lesions=found, **more)  # type: ignore[arg-type]

    @property
    def vp_change_percent(self) -> float:
        """Of lesion over marrow, as simulated."""
        first, second = self.before.settings, self.after.settings
        return 100.0 * (second.lesion_vp / second.marrow_vp / (first.lesion_vp / first.marrow_vp) - 1.0)

    @property
    def size_change_percent(self) -> float:
        return 100.0 * (self.after.settings.lesion_size**2 - 1.0)


@pytest.fixture(scope="session")
def pair() -> Pair:
    before = simulate_spine(spine_preset("small", vfa_deg=(2.0, 10.0, 25.0)))
    return Pair(before, simulate_spine(spine_follow_up(before.settings, pose=POSE)))


@pytest.fixture(scope="session")
def folders(pair: Pair, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``before/`` and ``after/`` with DCE/ and T1/ in DICOM, ``before.seg.nrrd`` and ``after.seg.nrrd`` beside them."""
    root = tmp_path_factory.mktemp("response")
    for name in ("before", "after"):
        scan = getattr(pair, name)
        write_dynamic_series(scan.series, root / name / "DCE")
        for number, (angle, volume) in enumerate(scan.vfa.items()):
            write_mr_volume(volume, root / name / "T1" / f"{number}", name=f"FA {angle:g}", number=10 + number)
        write_segmentation({"lesion_1": scan.masks["lesion_1"]}, root / f"{name}.seg.nrrd")
    return root
