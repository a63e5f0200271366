"""An image that did not come from DICOM as a minimal DICOM series, so that SEG, SR, maps and contours can refer to it.

CT and MR become their own SOP classes, PET and SPECT positron images (as SPECT systems without a reconstruction class
of their own write them), anything else a secondary capture with a position. The image type is DERIVED, the voxels are
16 bits with one slope for the volume: the series is for showing and for reference; measure on the original.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset

from bonequant.errors import GeometryError, InputError
from bonequant.io.export.dicom_object import decimal, equipment, new_uid, research_text, save
from bonequant.progress import Progress, no_progress
from bonequant.volume import Volume

_IMAGE = "1.2.840.10008.5.1.4.1.1"
_CLASSES = {"CT": f"{_IMAGE}.2", "MR": f"{_IMAGE}.4", "PT": f"{_IMAGE}.128", "NM": f"{_IMAGE}.128"}
_SECONDARY_CAPTURE = f"{_IMAGE}.7"
_UNITS = {"Bq/mL": "BQML", "counts": "CNTS", "SUVbw": "GML", "g/mL": "GML"}


def write_derived_series(
    volume: Volume,
    folder: str | os.PathLike[str],
    *,
    patient_name: str = "Anonymous^",
    patient_id: str = "",
    study_uid: str = "",
    description: str = "",
    progress: Progress | None = None,
) -> Path:
    """Write ``volume`` slice by slice into ``folder`` (made if need be, empty otherwise) and return it.

    Args:
        patient_name, patient_id: who the objects are filed under; nobody by default.
        study_uid: put the series into this study; a new one where "".

    Raises:
        InputError: NaN or infinite voxels, a folder that is not empty. GeometryError: a left-handed grid.
    """
    target, report = Path(folder), progress or no_progress
    if target.exists() and any(target.iterdir()):
        raise InputError(f"{target} is not empty; a series is written into a folder of its own.")
    array = volume.array
    if not np.isfinite(array).all():
        raise InputError(f"{volume.name or 'The image'} holds NaN or infinite voxels, which 16-bit DICOM cannot.")
    axes = np.reshape(volume.geometry.direction, (3, 3))
    if np.linalg.norm(np.cross(axes[:, 0], axes[:, 1]) - axes[:, 2]) > 1e-5:
        raise GeometryError("Only right-handed, orthogonal grids can be written as DICOM; flip an axis first.")
    target.mkdir(parents=True, exist_ok=True)
    slope, intercept = _line(array)
    common = _common(volume, description, slope, intercept)
    common.PatientName, common.PatientID = patient_name, patient_id
    common.StudyInstanceUID = study_uid or new_uid()
    if not (patient_name != "Anonymous^" or patient_id):
        common.PatientIdentityRemoved = "YES"
        common.DeidentificationMethod = "BoneQuant: made from an image without identity"
    for k, values in enumerate(array):
        report(k / len(array), f"Writing slice {k + 1} of {len(array)}")
        ds = Dataset()
        ds.update(common)
        ds.SOPInstanceUID = new_uid()
        ds.InstanceNumber = k + 1
        point = volume.geometry.index_to_physical @ (0.0, 0.0, float(k), 1.0)
        ds.ImagePositionPatient = [decimal(round(float(part), 9) + 0.0) for part in point[:3]]
        stored = np.rint((values.astype(np.float64) - intercept) / slope)
        ds.PixelData = np.clip(stored, 0, 65535).astype("<u2").tobytes()
        ds["PixelData"].VR = "OW"
        save(ds, target / f"slice_{k + 1:04d}.dcm")
    report(1.0, f"Wrote {len(array)} slices")
    return target


def _line(array: np.ndarray) -> tuple[float, float]:
    """Slope and intercept: whole numbers as they are where 16 bits hold them, else the full range."""
    low, high = float(array.min()), float(array.max())
    if high - low <= 65535 and np.array_equal(array, np.rint(array)):
        return 1.0, float(low)
    return float(decimal(max(high - low, 1e-30) / 65535 * (1 + 1e-9))), float(decimal(low))


def _common(volume: Volume, description: str, slope: float, intercept: float) -> Dataset:
    geometry, facts, ds = volume.geometry, volume.acquisition, Dataset()
    modality = "PT" if volume.modality == "NM" else volume.modality
    axes = np.reshape(geometry.direction, (3, 3))
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.SOPClassUID = _CLASSES.get(volume.modality, _SECONDARY_CAPTURE)
    ds.ImageType = ["DERIVED", "SECONDARY"]
    ds.Modality = modality
    ds.ConversionType = "WSD"
    ds.PatientBirthDate, ds.PatientSex = "", ""
    ds.StudyDate = facts.study_datetime.strftime("%Y%m%d") if facts.study_datetime else ""
    ds.StudyTime = facts.study_datetime.strftime("%H%M%S") if facts.study_datetime else ""
    ds.StudyID = ds.AccessionNumber = ds.ReferringPhysicianName = ""
    ds.SeriesInstanceUID, ds.SeriesNumber = new_uid(), 890
    ds.SeriesDescription = research_text(description or f"{volume.name or volume.modality} derived")
    ds.DerivationDescription = "Made from an image that was no DICOM, for reference"
    maker = equipment()
    ds.Manufacturer, ds.ManufacturerModelName = maker["manufacturer"], maker["manufacturer_model_name"]
    ds.SoftwareVersions = maker["software_versions"]
    ds.FrameOfReferenceUID, ds.PositionReferenceIndicator = new_uid(), ""
    ds.ImageOrientationPatient = [decimal(round(float(v), 12) + 0.0) for v in (*axes[:, 0], *axes[:, 1])]
    ds.PixelSpacing = [decimal(geometry.spacing[1]), decimal(geometry.spacing[0])]
    ds.SliceThickness = ds.SpacingBetweenSlices = decimal(geometry.spacing[2])
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows, ds.Columns = geometry.shape[1:]
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 0
    ds.RescaleSlope, ds.RescaleIntercept = decimal(slope), decimal(intercept)
    ds.RescaleType = "HU" if volume.unit == "HU" else "US"
    if modality == "PT":
        ds.Units = _UNITS.get(volume.unit, "NONE")
    return ds
