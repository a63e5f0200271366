"""Tiny DICOM objects written with pydicom alone, so that no reader is tested against its own writer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

CT, MR, PET, NM = (f"1.2.840.10008.5.1.4.1.1.{end}" for end in ("2", "4", "128", "20"))
STUDY, FRAME = generate_uid(), generate_uid()


def new_object(sop_class: str, **attributes: Any) -> FileDataset:
    """An object with identifiers and the given attributes."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = sop_class
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID = sop_class
    dataset.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    dataset.PatientID, dataset.PatientName = "P1", "Doe^Jane"
    dataset.StudyInstanceUID, dataset.FrameOfReferenceUID = STUDY, FRAME
    dataset.SeriesInstanceUID = generate_uid()
    for name, value in attributes.items():
        setattr(dataset, name, value)
    return dataset


def put_pixels(dataset: Dataset, array: np.ndarray) -> None:
    """Rows, columns, bits and pixels of an integer array (rows, columns) or (frames, rows, columns)."""
    dataset.Rows, dataset.Columns = array.shape[-2:]
    if array.ndim == 3:
        dataset.NumberOfFrames = len(array)
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 8 * array.dtype.itemsize
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(array.dtype.kind == "i")
    dataset.PixelData = array.astype(array.dtype.newbyteorder("<")).tobytes()
    dataset["PixelData"].VR = "OW"


def save(dataset: FileDataset, path: Path) -> Path:
    if int(pydicom.__version__.split(".")[0]) < 3:
        dataset.is_little_endian, dataset.is_implicit_VR = True, False
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path)
    return path


def item(**attributes: Any) -> Dataset:
    dataset = Dataset()
    for name, value in attributes.items():
        setattr(dataset, name, Sequence(value) if isinstance(value, list) and name.endswith("Sequence") else value)
    return dataset


@pytest.fixture
def write_slices(tmp_path: Path) -> Callable[..., Path]:
    """Write a classic series; ``each(k, dataset)`` may change slice k or return False to leave it out."""

    def write(
        array: np.ndarray,
        *,
        folder: str = "series",
        sop_class: str = CT,
        modality: str = "CT",
        origin: tuple[float, float, float] = (-10.0, -20.0, 100.0),
        orientation: tuple[float, ...] = (1, 0, 0, 0, 1, 0),
        spacing: tuple[float, float, float] = (2.0, 1.5, 3.0),
        each: Callable[[int, FileDataset], Any] | None = None,
        **attributes: Any,
    ) -> Path:
        normal = np.cross(orientation[:3], orientation[3:])
        series = generate_uid()
        for k, plane in enumerate(array):
            dataset = new_object(sop_class, Modality=modality, SeriesDescription=folder, SeriesNumber=7)
            dataset.SeriesInstanceUID = series
            position = np.asarray(origin) + k * spacing[2] * normal
            dataset.ImagePositionPatient = [round(float(part), 6) for part in position]
            dataset.ImageOrientationPatient = [round(float(part), 9) for part in orientation]
            dataset.PixelSpacing, dataset.SliceThickness = [spacing[1], spacing[0]], spacing[2]
            dataset.InstanceNumber = k + 1
            if modality == "CT":
                dataset.RescaleSlope, dataset.RescaleIntercept = 1, -1024
            for name, value in attributes.items():
                setattr(dataset, name, value)
            put_pixels(dataset, plane)
            if each is None or each(k, dataset) is not False:
                # Names run against the order of the slices: a reader that sorts by name is found out.
                save(dataset, tmp_path / folder / f"IM{len(array) - k:04d}")
        return tmp_path / folder

    return write


@pytest.fixture
def write_nm(tmp_path: Path) -> Callable[..., Path]:
    """Write a multi-frame NM object; ``change(dataset)`` may alter it before it is saved."""

    def write(
        array: np.ndarray,
        *,
        name: str = "nm.dcm",
        image_type: str = "RECON TOMO",
        position: tuple[float, ...] = (-100.0, -80.0, 50.0),
        orientation: tuple[float, ...] = (1, 0, 0, 0, 1, 0),
        pixel: tuple[float, float] = (4.0, 5.0),
        step: float | None = 3.0,
        change: Callable[[FileDataset], Any] | None = None,
        **attributes: Any,
    ) -> Path:
        dataset = new_object(NM, Modality="NM", SeriesDescription=name, SeriesNumber=3)
        dataset.ImageType = ["DERIVED", "PRIMARY", image_type, "EMISSION"]
        put_pixels(dataset, array)
        dataset.PixelSpacing, dataset.SliceThickness = list(pixel), 9.0
        if step is not None:
            dataset.SpacingBetweenSlices = step
        dataset.DetectorInformationSequence = Sequence(
            [item(ImagePositionPatient=list(position), ImageOrientationPatient=list(orientation))]
        )
        dataset.NumberOfSlices = len(array)
        dataset.FrameIncrementPointer = [0x00540080]
        dataset.SliceVector = list(range(1, len(array) + 1))
        for key, value in attributes.items():
            setattr(dataset, key, value)
        if change is not None:
            change(dataset)
        return save(dataset, tmp_path / name)

    return write
