"""A SPECT in Bq/mL as a series of PET Image Storage objects (PS3.3 A.21), as quantitative SPECT is often exported."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bonequant.errors import InputError
from bonequant.phantom.dicom_common import (
    date_time,
    decimal,
    image_pixels,
    new_object,
    plane,
    position,
    radiopharmaceutical,
    save,
)
from bonequant.phantom.dicom_nm import as_uint16
from bonequant.volume import Volume

PET_IMAGE = "1.2.840.10008.5.1.4.1.1.128"


def write_pt_series(volume: Volume, folder: str | Path, *, series: str = "SPECT BQML") -> list[Path]:
    """Write ``volume`` (Bq/mL) as slices into ``folder``; returns the files from the first slice to the last.

    The series time is the acquisition's start, to which a decay correction START refers.
    Raises InputError where the volume is not in Bq/mL or holds negative values, GeometryError for a left-handed grid.
    """
    if volume.unit != "Bq/mL":
        raise InputError(f"A PET object holds Bq/mL; {volume.name or 'this volume'} is in {volume.unit or 'no unit'}.")
    stored, slope = as_uint16(volume)
    geometry, facts = volume.geometry, volume.acquisition
    orientation, spacing, _ = plane(geometry)
    files = []
    for k, values in enumerate(stored):
        ds = new_object(volume, PET_IMAGE, "PT", series, 4, f"slice {k}")
        ds.SeriesDate, ds.SeriesTime = date_time(facts.acquisition_start or facts.series_datetime)
        ds.ImageType = ["ORIGINAL", "PRIMARY"]
        ds.InstanceNumber = ds.ImageIndex = k + 1
        ds.NumberOfSlices = len(stored)
        ds.SeriesType = ["STATIC", "IMAGE"]
        ds.Units, ds.CountsSource = "BQML", "EMISSION"
        ds.DecayCorrection = facts.decay_correction or "NONE"
        ds.CorrectedImage = list(facts.corrections)
        ds.CollimatorType = "NONE"
        ds.ImageOrientationPatient, ds.PixelSpacing = orientation, spacing
        ds.ImagePositionPatient = position(geometry, k)
        ds.SliceThickness = decimal(geometry.spacing[2])
        ds.FrameReferenceTime = "0"
        ds.ActualFrameDuration = round(1000.0 * (facts.acquisition_duration_s or 0.0))
        ds.RadiopharmaceuticalInformationSequence = [radiopharmaceutical(facts, total_dose=facts.injected_activity_bq)]
        ds.PatientGantryRelationshipCodeSequence = []
        ds.RescaleIntercept, ds.RescaleSlope = "0", decimal(slope)
        image_pixels(ds, np.asarray(values))
        files.append(save(ds, Path(folder) / f"pt_{k + 1:04d}.dcm"))
    return files
