"""Liver phantoms as DICOM, shared by the tests of the liver job."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
import SimpleITK as sitk
from bonequant.io import write_segmentation
from bonequant.phantom import LiverScan, liver_preset, simulate_liver, write_dynamic_series
from bonequant.studies import liver_perfusion as job

from benchmarks.liver import drawn


@dataclass(frozen=True, eq=False)
class Case:
    """A simulated scan, its DICOM and regions on the disk, and what was read from them."""

    scan: LiverScan
    masks: dict[str, sitk.Image]
    inputs: job.LiverInputs


def write_case(scan: LiverScan, folder: Path, step: float) -> Case:
    masks = drawn(scan)
    write_dynamic_series(scan.series, folder / "CT", timing="siemens", name="perfusion", step=step)
    write_segmentation(masks, folder / "regions.seg.nrrd")
    return Case(scan, masks, job.read_inputs(folder / "CT", [folder / "regions.seg.nrrd"]))


@pytest.fixture(scope="package")
def still(tmp_path_factory: pytest.TempPathFactory) -> Case:
    """Breath held, no noise, a frame every second, the part of the liver that holds vein and lesions."""
    settings = liver_preset(
        "clinical", breathing_mm=0.0, noise_hu=0.0, spacing_mm=(2.5, 2.5, 4.0), field_mm=(300.0, 200.0, 64.0)
    )
    return write_case(simulate_liver(settings), tmp_path_factory.mktemp("still"), step=0.05)


@pytest.fixture(scope="package")
def measured(still: Case) -> job.LiverResult:
    """The job on it, frames as they are."""
    return job.run(still.inputs, job.LiverSettings(correct_motion=False))


@pytest.fixture(scope="package")
def written(measured: job.LiverResult, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its results folder."""
    return job.write(measured, tmp_path_factory.mktemp("liver") / "out").parent
