"""Series of every kind that an export may refer to, written with pydicom alone, and readers that are not our own."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.volume import Geometry, image_from_array
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

CT, MR, NM = (f"1.2.840.10008.5.1.4.1.1.{end}" for end in ("2", "4", "20"))
STUDY, FRAME = generate_uid(), generate_uid()
# oblique about all three axes, anisotropic, an origin with many digits
TURN = tuple(sitk.Euler3DTransform((0, 0, 0), 0.31, -0.22, 0.43).GetMatrix())
OBLIQUE = Geometry((18, 14, 9), (1.7, 2.3, 4.1), (-31.234567, 12.5, 177.7), TURN)


def new_object(sop_class: str, modality: str, series: str) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = sop_class, generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID, dataset.SOPInstanceUID = sop_class, meta.MediaStorageSOPInstanceUID
    dataset.PatientName, dataset.PatientID, dataset.PatientBirthDate = "Doe^Jane", "SECRET-1", "19500102"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.FrameOfReferenceUID = STUDY, series, FRAME
    dataset.StudyDate, dataset.StudyTime, dataset.AccessionNumber = "20240305", "101112", "ACC-9"
    dataset.Modality, dataset.SeriesDescription, dataset.SeriesNumber = modality, "source", 4
    return dataset


def put_pixels(dataset: Dataset, array: np.ndarray) -> None:
    dataset.Rows, dataset.Columns = array.shape[-2:]
    if array.ndim == 3:
        dataset.NumberOfFrames = len(array)
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 16, 15, 0
    dataset.PixelData = array.astype("<u2").tobytes()
    dataset["PixelData"].VR = "OW"


def directions(geometry: Geometry) -> list[float]:
    axes = np.reshape(geometry.direction, (3, 3))
    return [round(float(part), 12) for part in (*axes[:, 0], *axes[:, 1])]


def write_slices(folder: Path, geometry: Geometry = OBLIQUE, phases: int = 1, sop_class: str = MR) -> Path:
    """Slices whose names and instance numbers run against their order; ``phases`` temporal positions."""
    series = generate_uid()
    count = geometry.size[2]
    folder.mkdir()
    for phase in range(phases):
        for k in range(count):
            dataset = new_object(sop_class, "MR", series)
            dataset.ImageOrientationPatient = directions(geometry)
            point = geometry.index_to_physical @ (0, 0, k, 1)
            dataset.ImagePositionPatient = [round(float(part), 9) for part in point[:3]]
            dataset.PixelSpacing = [geometry.spacing[1], geometry.spacing[0]]
            dataset.SliceThickness = geometry.spacing[2]
            dataset.InstanceNumber = phases * count - (phase * count + k)
            if phases > 1:
                dataset.TemporalPositionIdentifier, dataset.NumberOfTemporalPositions = phase + 1, phases
                dataset.AcquisitionTime = f"1011{12 + 5 * phase:02d}"
            put_pixels(dataset, np.full(geometry.shape[1:], 100 * phase + k))
            dataset.save_as(folder / f"IM{dataset.InstanceNumber:04d}")
    return folder


def write_nm(path: Path, geometry: Geometry = OBLIQUE, backwards: bool = True, frame: bool = True) -> Path:
    """One multi-frame reconstruction; ``backwards``: negative spacing, the first frame is the last slice."""
    dataset = new_object(NM, "NM", generate_uid())
    count = geometry.size[2]
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "RECON TOMO", "EMISSION"]
    put_pixels(dataset, np.arange(count)[:, None, None] + np.zeros(geometry.shape, int))
    dataset.PixelSpacing = [geometry.spacing[1], geometry.spacing[0]]
    dataset.SliceThickness = geometry.spacing[2]
    dataset.SpacingBetweenSlices = -geometry.spacing[2] if backwards else geometry.spacing[2]
    first = geometry.index_to_physical @ (0, 0, count - 1 if backwards else 0, 1)
    detector = Dataset()
    detector.ImagePositionPatient = [round(float(part), 9) for part in first[:3]]
    detector.ImageOrientationPatient = directions(geometry)
    dataset.DetectorInformationSequence = [detector]
    dataset.NumberOfSlices, dataset.FrameIncrementPointer = count, [0x00540080]
    dataset.SliceVector = list(range(1, count + 1))
    if not frame:
        del dataset.FrameOfReferenceUID
    dataset.save_as(path)
    return path


@pytest.fixture
def masks() -> dict[str, sitk.Image]:
    """A region with a hole and two parts that touch at a corner; a region on every other slice; both overlap."""
    first, second = (np.zeros(OBLIQUE.shape, np.uint8) for _ in range(2))
    first[2:5, 3:9, 4:12] = 1
    first[3, 5:7, 6:9] = 0
    first[4, 9, 12] = 1
    second[[3, 5, 7], 2:6, 8:15] = 1
    return {"L01": image_from_array(first, OBLIQUE), "L02": image_from_array(second, OBLIQUE)}


@pytest.fixture
def dcmqi(tmp_path: Path) -> Callable[..., tuple[dict[str, Any], Path]]:
    """Run one of dcmqi's readers; gives its JSON and the folder of its images."""

    def run(tool: str, path: Path) -> tuple[dict[str, Any], Path]:
        import dcmqi

        out = tmp_path / f"{tool}-{path.stem}"
        out.mkdir()
        command = [str(Path(dcmqi.__file__).parent / "bin" / tool), "--inputDICOM", str(path)]
        if tool == "tid1500reader":
            command += ["--outputMetadata", str(out / "meta.json")]
        else:
            command += ["--outputDirectory", str(out), "--outputType", "nrrd"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "error" not in (done.stdout + done.stderr).lower()
        return json.loads((out / "meta.json").read_text()), out

    return run


def farthest_mm(found: sitk.Image, due: sitk.Image) -> float:
    """How far the voxels of ``found`` lie from those of ``due`` that they should be, at the corners of ``found``."""
    shift = due.TransformPhysicalPointToContinuousIndex(found.GetOrigin())
    whole = np.rint(shift)
    ends = [(0, size - 1) for size in found.GetSize()]
    corners = [(x, y, z) for x in ends[0] for y in ends[1] for z in ends[2]]
    away = []
    for corner in corners:
        there = found.TransformContinuousIndexToPhysicalPoint([float(part) for part in corner])
        wanted = due.TransformContinuousIndexToPhysicalPoint((np.array(corner) + whole).tolist())
        away.append(float(np.linalg.norm(np.subtract(there, wanted))))
    return max(away)


def on_grid_of(found: sitk.Image, due: sitk.Image) -> np.ndarray:
    """``found`` put into the grid of ``due`` slice by slice, without interpolation."""
    first = round(due.TransformPhysicalPointToContinuousIndex(found.GetOrigin())[2])
    whole = np.zeros(due.GetSize()[::-1], np.uint8)
    whole[first : first + found.GetSize()[2]] = sitk.GetArrayViewFromImage(found)
    return whole
