"""What every DICOM object of the phantom shares: identifiers that follow from the content, patient, study, saving.

Identifiers are hashes, so that the same patient written twice gives the same files, byte for byte.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from bonequant.errors import GeometryError, InputError
from bonequant.volume import Acquisition, Geometry, Volume

_IMPLEMENTATION = UID("2.25.190412836541874320511709830517210894811")
_RADIONUCLIDES = {
    "99mTc": ("72454006", "Technetium-99m"),
    "177Lu": ("447553000", "Lutetium-177"),
    "111In": ("56609000", "Indium-111"),
    "123I": ("21572004", "Iodine-123"),
    "131I": ("1368003", "Iodine-131"),
    "18F": ("77004003", "Fluorine-18"),
}


def uid(*parts: object) -> UID:
    """A UUID-derived UID (PS3.5 B.2) that follows from ``parts``."""
    digest = hashlib.sha256("\0".join(map(str, parts)).encode()).digest()[:16]
    return UID(f"2.25.{int.from_bytes(digest, 'big')}")


def study_key(facts: Acquisition) -> str:
    """What CT and SPECT of one visit have in common."""
    return f"{facts.patient_id}|{facts.study_datetime}"


def new_object(volume: Volume, sop_class: str, modality: str, series: str, number: int, instance: str) -> Dataset:
    """Patient, study, series, equipment and frame of reference modules; CT and SPECT of one visit share the frame."""
    facts = volume.acquisition
    study = study_key(facts)
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.SOPClassUID = sop_class
    ds.SOPInstanceUID = uid(study, series, instance)
    ds.PatientName = facts.patient_name or "PHANTOM^BONEQUANT"
    ds.PatientID = facts.patient_id or "BONEQUANT"
    ds.PatientBirthDate = ""
    ds.PatientSex = facts.patient_sex or ""
    if facts.patient_age_years is not None:
        ds.PatientAge = f"{int(facts.patient_age_years):03d}Y"
    if facts.patient_weight_kg is not None:
        ds.PatientWeight = decimal(facts.patient_weight_kg)
    if facts.patient_height_m is not None:
        ds.PatientSize = decimal(facts.patient_height_m)
    ds.StudyInstanceUID = facts.study_uid or uid(study)
    ds.StudyDate, ds.StudyTime = date_time(facts.study_datetime)
    ds.ReferringPhysicianName = ""
    ds.StudyID = "1"
    ds.AccessionNumber = ""
    ds.StudyDescription = facts.study_description or "BoneQuant phantom"
    ds.Modality = modality
    ds.SeriesInstanceUID = facts.series_uid or uid(study, series)
    ds.SeriesNumber = number
    ds.SeriesDescription = facts.series_description or series
    ds.SeriesDate, ds.SeriesTime = date_time(facts.series_datetime or facts.study_datetime)
    ds.AcquisitionDate, ds.AcquisitionTime = date_time(facts.acquisition_start or facts.study_datetime)
    ds.ContentDate, ds.ContentTime = ds.AcquisitionDate, ds.AcquisitionTime
    ds.FrameOfReferenceUID = facts.frame_of_reference_uid or uid(study, "frame of reference")
    ds.PositionReferenceIndicator = ""
    ds.Manufacturer = facts.manufacturer or "BoneQuant"
    ds.ManufacturerModelName = facts.scanner or "Analytic phantom"
    ds.DeviceSerialNumber = "1"
    ds.SoftwareVersions = facts.software or "1"
    ds.PatientPosition = "HFS"
    return ds


def image_pixels(ds: Dataset, stored: np.ndarray) -> None:
    """Image pixel module for 16-bit grey values; ``stored`` is uint16, (rows, columns) or (frames, rows, columns)."""
    ds.SamplesPerPixel = 1
    ds.PhotometricInterpretation = "MONOCHROME2"
    ds.Rows, ds.Columns = stored.shape[-2:]
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = 16, 16, 15
    ds.PixelRepresentation = 0
    ds.PixelData = np.ascontiguousarray(stored, dtype="<u2").tobytes()
    ds["PixelData"].VR = "OW"


def radiopharmaceutical(facts: Acquisition, *, total_dose: float | None) -> Dataset:
    """An item of RadiopharmaceuticalInformationSequence; the unit of the dose is the caller's (MBq in NM, Bq in PT)."""
    item = Dataset()
    value, meaning = _RADIONUCLIDES.get(facts.radionuclide or "", (None, None))
    item.RadionuclideCodeSequence = [] if value is None else [code(value, "SCT", str(meaning))]
    item.RadiopharmaceuticalRoute = "Intravenous route"
    if facts.injection_time is not None:
        item.RadiopharmaceuticalStartDateTime = facts.injection_time.strftime("%Y%m%d%H%M%S.%f")
        item.RadiopharmaceuticalStartTime = facts.injection_time.strftime("%H%M%S.%f")
    if total_dose is not None:
        item.RadionuclideTotalDose = decimal(total_dose)
    if facts.half_life_s is not None:
        item.RadionuclideHalfLife = decimal(facts.half_life_s)
    item.Radiopharmaceutical = facts.radiopharmaceutical or ""
    return item


def code(value: str, scheme: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def decimal(value: float) -> str:
    """The number as a decimal string of at most 16 characters, as exact as that allows."""
    for digits in range(17, 5, -1):
        text = f"{value:.{digits}g}"
        if len(text) <= 16:
            return text
    raise InputError(f"{value} does not fit a DICOM decimal string.")


def date_time(moment: datetime | None) -> tuple[str, str]:
    return ("", "") if moment is None else (moment.strftime("%Y%m%d"), moment.strftime("%H%M%S.%f"))


def plane(geometry: Geometry) -> tuple[list[str], list[str], np.ndarray]:
    """ImageOrientationPatient, PixelSpacing and the unit normal row x column.

    Raises GeometryError where the third axis is not that normal (left-handed grids cannot be written as they are).
    """
    axes = np.reshape(geometry.direction, (3, 3))
    row, column, normal = axes[:, 0], axes[:, 1], axes[:, 2]
    if np.linalg.norm(np.cross(row, column) - normal) > 1e-5:
        raise GeometryError("Only right-handed, orthogonal grids can be written as DICOM; resample the volume first.")
    orientation = [decimal(round(float(v), 12) + 0.0) for v in (*row, *column)]
    return orientation, [decimal(geometry.spacing[1]), decimal(geometry.spacing[0])], normal


def position(geometry: Geometry, k: int) -> list[str]:
    """ImagePositionPatient of slice ``k``."""
    point = geometry.index_to_physical @ (0.0, 0.0, float(k), 1.0)
    return [decimal(round(float(v), 9) + 0.0) for v in point[:3]]


def save(ds: Dataset, path: Path) -> Path:
    """Write a Part 10 file, explicit little endian, with pydicom 2.4 and 3 alike."""
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\x00\x01"
    meta.MediaStorageSOPClassUID = ds.SOPClassUID
    meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = _IMPLEMENTATION
    meta.ImplementationVersionName = "BONEQUANT"
    ds.file_meta = meta
    path.parent.mkdir(parents=True, exist_ok=True)
    if int(pydicom.__version__.split(".")[0]) >= 3:
        ds.save_as(path, enforce_file_format=True)
    else:
        ds.is_little_endian, ds.is_implicit_VR = True, False
        ds.save_as(path, write_like_original=False)
    return path
