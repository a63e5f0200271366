"""Sound little files of every kind that is read, and the readers of each kind: material of ``benchmarks.fuzz``."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import SimpleITK as sitk
from bonequant import io
from bonequant.batch import output, read_manifest
from bonequant.batch.record import read_record
from bonequant.kinetics.aif_input import file_input
from bonequant.phantom import write_ct_series, write_nm, write_pt_series
from bonequant.phantom.dynamic_dicom import write_dynamic_series, write_mr_volume
from bonequant.spect import load_standard
from bonequant.spect.protocol import STANDARDS, ProtocolRecord
from bonequant.studies.marrow_perfusion import MarrowSettings, read_gold_standard
from bonequant.volume import (
    Acquisition,
    DynamicSeries,
    Geometry,
    Volume,
    acquisition_from_json,
    acquisition_to_json,
    image_from_array,
)
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, RLELossless

from benchmarks import fuzz_tables

GRID = Geometry((10, 8, 4), (4.0, 4.0, 5.0), (-20.0, -16.0, -10.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
LIKE = Volume(image_from_array(np.zeros(GRID.shape, np.float32), GRID), modality="CT", unit="HU")


def _volume(modality: str, unit: str) -> Volume:
    values = np.random.default_rng(3).integers(0, 900, GRID.shape).astype(np.float32)
    return Volume(image_from_array(values, GRID), modality=modality, unit=unit)


def write_dicom(folder: Path) -> None:
    """Single objects: a slice each of CT, MR, PET; NM plain and compressed; RTSTRUCT; SEG; enhanced CT."""
    work = folder / "work"
    (folder / "ct.dcm").write_bytes(write_ct_series(_volume("CT", "HU"), work / "ct")[0].read_bytes())
    (folder / "pt.dcm").write_bytes(write_pt_series(_volume("PT", "Bq/mL"), work / "pt")[0].read_bytes())
    write_mr_volume(_volume("MR", ""), work / "mr", name="T1")
    (folder / "mr.dcm").write_bytes(min((work / "mr").iterdir()).read_bytes())
    write_nm(_volume("NM", "counts"), folder / "nm.dcm")
    compressed = pydicom.dcmread(folder / "nm.dcm")
    compressed.compress(RLELossless)
    compressed.save_as(folder / "rle.dcm")
    for name, make in (("rtstruct.dcm", _structures), ("seg.dcm", _segmentation), ("enhanced.dcm", _enhanced)):
        make().save_as(folder / name)
    for path in sorted(work.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    work.rmdir()


def write_series(folder: Path) -> None:
    """Folders of slices, one of which will be spoilt."""
    write_ct_series(_volume("CT", "HU"), folder / "ct")
    write_pt_series(_volume("PT", "Bq/mL"), folder / "pt")
    write_mr_volume(_volume("MR", ""), folder / "mr", name="T1")
    write_dynamic_series(_dynamic(), folder / "dce")


def _dynamic() -> DynamicSeries:
    frames = np.random.default_rng(4).integers(50, 900, (4, *GRID.shape)).astype(np.float32)
    return DynamicSeries(frames=frames, times_s=np.arange(4) * 6.0, geometry=GRID, modality="MR", unit="")


def write_images(suffixes: tuple[str, ...]) -> Callable[[Path], None]:
    """3-D and 4-D images with the given suffixes."""

    def write(folder: Path) -> None:
        volume = _volume("NM", "counts")
        series = sitk.JoinSeries([volume.image, volume.image, volume.image], 0.0, 10.0)
        for suffix in suffixes:
            io.write_volume(volume, folder / f"image{suffix}")
            sitk.WriteImage(volume.image, str(folder / f"plain{suffix}"))
            sitk.WriteImage(series, str(folder / f"series{suffix}"))
            sitk.WriteImage(sitk.Cast(volume.image > 500, sitk.sitkUInt8), str(folder / f"mask{suffix}"))
        if ".nrrd" in suffixes:
            io.write_dynamic(_dynamic(), folder / "dynamic.seq.nrrd")

    return write


def write_segs(folder: Path) -> None:
    mask = sitk.Cast(LIKE.image + 1, sitk.sitkUInt8)
    io.write_segmentation({"one": mask, "two": mask}, folder / "layers.seg.nrrd")
    io.write_segmentation({"one": mask}, folder / "one.seg.nrrd")


def write_json(folder: Path) -> None:
    settings = MarrowSettings()
    (folder / "settings.json").write_text(settings.to_json())
    (folder / "acquisition.json").write_text(
        acquisition_to_json(Acquisition(patient_weight_kg=70.0, corrections=("ATTN",)))
    )
    for path in STANDARDS.glob("*.json"):
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "cohort.json").write_text(json.dumps({"job": "marrow", "run": "x", "cases": ["A", "B"]}))


def write_csv(folder: Path) -> None:
    tables: dict[str, list[list[Any]]] = {
        "manifest.csv": [
            ["patient", "spect", "fact.patient_weight_kg", "set.tracer"],
            ["A", "manifest.csv", 70, "mdp"],
        ],
        "standard.csv": [["region", "value"], ["marrow", 1.5], ["spine", 2.5]],
        "aif.csv": [["time", "value"], [0, 0], [1.5, 0.2], [3.0, 4.5]],
    }
    for name, rows in tables.items():
        with (folder / name).open("w", newline="") as stream:
            csv.writer(stream).writerows(rows)


def _object(sop_class: str, modality: str, **attributes: Any) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID = sop_class, ExplicitVRLittleEndian
    meta.MediaStorageSOPInstanceUID = "1.2.3.4.5"
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID, dataset.SOPInstanceUID, dataset.Modality = sop_class, "1.2.3.4.5", modality
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.FrameOfReferenceUID = "1.2.3", "1.2.3.4", "1.2.9"
    _set(dataset, attributes)
    return dataset


def _item(**attributes: Any) -> Dataset:
    dataset = Dataset()
    _set(dataset, attributes)
    return dataset


def _set(dataset: Dataset, attributes: dict[str, Any]) -> None:
    for name, value in attributes.items():
        setattr(dataset, name, Sequence(value) if name.endswith("Sequence") else value)


def _structures() -> FileDataset:
    points = [-10.0, -8.0, -5.0, 8.0, -8.0, -5.0, 8.0, 8.0, -5.0, -10.0, 8.0, -5.0]
    contour = _item(ContourGeometricType="CLOSED_PLANAR", NumberOfContourPoints=4, ContourData=points)
    return _object(
        "1.2.840.10008.5.1.4.1.1.481.3", "RTSTRUCT",
        StructureSetLabel="regions",
        StructureSetROISequence=[_item(ROINumber=1, ROIName="liver", ReferencedFrameOfReferenceUID="1.2.9")],
        ROIContourSequence=[_item(ReferencedROINumber=1, ContourSequence=[contour])],
    )  # fmt: skip


def _frames(**pixels: Any) -> dict[str, Any]:
    """Functional groups of four frames and what all multi-frame objects share."""
    return {
        "Rows": 8, "Columns": 10, "NumberOfFrames": 4, "SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2",
        "SharedFunctionalGroupsSequence": [
            _item(
                PixelMeasuresSequence=[_item(PixelSpacing=[4, 4], SliceThickness=5, SpacingBetweenSlices=5)],
                PlaneOrientationSequence=[_item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])],
                PixelValueTransformationSequence=[_item(RescaleSlope=1, RescaleIntercept=-1024, RescaleType="HU")],
            )
        ],
        "PerFrameFunctionalGroupsSequence": [
            _item(
                PlanePositionSequence=[_item(ImagePositionPatient=[-20, -16, -10 + 5 * k])],
                FrameContentSequence=[_item(StackID="1", InStackPositionNumber=k + 1, DimensionIndexValues=[1, k + 1])],
                SegmentIdentificationSequence=[_item(ReferencedSegmentNumber=1)],
            )
            for k in range(4)
        ],
        **pixels,
    }  # fmt: skip


def _segmentation() -> FileDataset:
    bits = {"BitsAllocated": 1, "BitsStored": 1, "HighBit": 0, "PixelRepresentation": 0}
    segments = [_item(SegmentNumber=1, SegmentLabel="liver", SegmentAlgorithmType="MANUAL")]
    pixels = _frames(**bits, SegmentationType="BINARY", SegmentSequence=segments, PixelData=b"\xf0" * 40)
    return _object("1.2.840.10008.5.1.4.1.1.66.4", "SEG", **pixels)


def _enhanced() -> FileDataset:
    bits = {"BitsAllocated": 16, "BitsStored": 16, "HighBit": 15, "PixelRepresentation": 0}
    return _object("1.2.840.10008.5.1.4.1.1.2.1", "CT", **_frames(**bits, PixelData=b"\x10\x04" * 320))


def _timed(path: Path) -> DynamicSeries:
    """A 4-D file that holds no times."""
    return io.load_dynamic(path, times_s=[0.0, 10.0, 20.0])


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


READERS: dict[str, tuple[Callable[[Path], Any], ...]] = {
    "dicom": (io.load, io.info, io.load_dynamic, io.load_masks, lambda path: io.load_masks(path, LIKE)),
    "series": (io.load, io.info, io.load_dynamic, io.scan),
    "nrrd": (io.load, _timed, io.load_dynamic, io.load_masks, io.info),
    "nifti": (io.load, io.load_dynamic, io.load_masks),
    "meta": (io.load, _timed, io.load_dynamic, io.load_masks),
    "seg": (io.load_masks, io.load, io.info),
    "json": (
        lambda path: MarrowSettings.from_json(_text(path)),
        lambda path: acquisition_from_json(_text(path), "file"),
        lambda path: ProtocolRecord.from_json(_text(path)),
        load_standard,
        lambda path: output.former_run(path.parent),
        lambda path: read_record(path.parent),
    ),
    "csv": (read_manifest, lambda path: read_manifest(path, "marrow"), read_gold_standard, file_input),
    **fuzz_tables.READERS,
}
WRITERS: dict[str, Callable[[Path], None]] = {
    "dicom": write_dicom,
    "series": write_series,
    "nrrd": write_images((".nrrd",)),
    "nifti": write_images((".nii", ".nii.gz")),
    "meta": write_images((".mha",)),
    "seg": write_segs,
    "json": write_json,
    "csv": write_csv,
    **fuzz_tables.WRITERS,
}
