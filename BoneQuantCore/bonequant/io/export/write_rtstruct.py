"""Masks as contours in a DICOM RT Structure Set (PS3.3 A.19), written with pydicom alone.

Contours run along the edges of the voxels (:mod:`bonequant.io.export.contours`), one polygon per part and slice, holes
as keyholes. ``load_masks(path, like=image)`` gives the same voxels back: each contour stands for the slab of its slice,
and Source Pixel Planes Characteristics (3006,004A) says how thick that is.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from bonequant.errors import InputError
from bonequant.io.export.contours import outlines
from bonequant.io.export.dicom_object import (
    LABEL,
    RESEARCH,
    decimal,
    dicom_file,
    equipment,
    mark,
    new_uid,
    patient_and_study,
    save,
)
from bonequant.io.export.grid import on_grid
from bonequant.io.export.source import SourceSeries
from bonequant.progress import Progress, no_progress

_SOP_CLASS = "1.2.840.10008.5.1.4.1.1.481.3"
_STUDY_MANAGEMENT = "1.2.840.10008.3.1.2.3.1"  # as PS3.3 table C.8-41 asks for the referenced study
_COLOURS = ((230, 80, 60), (70, 130, 220), (70, 170, 90), (200, 150, 40), (150, 90, 190), (60, 180, 190))


def write_rtstruct(
    masks: Mapping[str, sitk.Image],
    path: str | os.PathLike[str],
    source: SourceSeries,
    *,
    description: str = "BoneQuant regions",
    identified: bool = False,
    series_number: int = 930,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Path:
    """Write binary masks by name and return the path.

    Args:
        masks: 0/1 on the grid of the series (cropped, padded or flipped is allowed).
        source: from :func:`bonequant.io.export.source_series`.
        identified: as for :func:`bonequant.io.export.write_dicom_seg`.

    Raises:
        GeometryError: a mask on another grid, or beyond the series.
        InputError: no mask, an empty one, a fractional one (threshold it first, or write a SEG), a file that exists.
    """
    if not masks:
        raise InputError("There is no region to write.")
    report = progress or no_progress
    ds = _structure_set(source, description, identified, series_number)
    for number, (name, mask) in enumerate(masks.items(), 1):
        report((number - 1) / len(masks), f"Drawing the contours of {name}")
        voxels = _binary(mask, name, source)
        roi = Dataset()
        roi.ROINumber, roi.ROIName = number, name
        roi.ReferencedFrameOfReferenceUID = source.frame_of_reference_uid
        roi.ROIGenerationAlgorithm = "SEMIAUTOMATIC"
        ds.StructureSetROISequence.append(roi)
        ds.ROIContourSequence.append(_contours(voxels, number, source))
        ds.RTROIObservationsSequence.append(_observation(number, name))
    with dicom_file(path, overwrite) as temporary:
        save(ds, temporary)
    report(1.0, f"Wrote {len(masks)} structures")
    return Path(path)


def _structure_set(source: SourceSeries, description: str, identified: bool, series_number: int) -> Dataset:
    ds = patient_and_study(source, identified)
    ds.SOPClassUID, ds.SOPInstanceUID = _SOP_CLASS, new_uid()
    ds.Modality, ds.SeriesInstanceUID, ds.SeriesNumber = "RTSTRUCT", new_uid(), series_number
    ds.OperatorsName = ""
    made_by = equipment()
    ds.Manufacturer, ds.ManufacturerModelName = made_by["manufacturer"], made_by["manufacturer_model_name"]
    ds.SoftwareVersions = made_by["software_versions"]
    ds.FrameOfReferenceUID, ds.PositionReferenceIndicator = source.frame_of_reference_uid, ""
    ds.InstanceNumber = 1
    ds.StructureSetLabel, ds.StructureSetName = LABEL, description[:64]
    ds.StructureSetDescription = f"{description} ({RESEARCH})"
    ds.StructureSetDate, ds.StructureSetTime = ds.StudyDate, ds.StudyTime
    ds.ApprovalStatus = "UNAPPROVED"
    ds.ReferencedFrameOfReferenceSequence = Sequence([_referenced_series(source)])
    ds.StructureSetROISequence = Sequence()
    ds.ROIContourSequence = Sequence()
    ds.RTROIObservationsSequence = Sequence()
    mark(ds, description, identified)
    return ds


def _referenced_series(source: SourceSeries) -> Dataset:
    series = Dataset()
    series.SeriesInstanceUID = source.series_uid
    series.ContourImageSequence = Sequence(
        {str(plane.header.SOPInstanceUID): _image(source, k, False) for k, plane in enumerate(source.planes)}.values()
    )
    study = Dataset()
    study.ReferencedSOPClassUID, study.ReferencedSOPInstanceUID = _STUDY_MANAGEMENT, source.study_uid
    study.RTReferencedSeriesSequence = Sequence([series])
    frame = Dataset()
    frame.FrameOfReferenceUID = source.frame_of_reference_uid
    frame.RTReferencedStudySequence = Sequence([study])
    return frame


def _image(source: SourceSeries, k: int, with_frame: bool = True) -> Dataset:
    plane, item = source.planes[k], Dataset()
    item.ReferencedSOPClassUID = plane.header.SOPClassUID
    item.ReferencedSOPInstanceUID = plane.header.SOPInstanceUID
    if with_frame and plane.frame is not None:
        item.ReferencedFrameNumber = plane.frame
    return item


def _binary(mask: sitk.Image, name: str, source: SourceSeries) -> np.ndarray:
    voxels = on_grid(mask, source.geometry, f"The mask {name!r}")
    if not np.all((voxels == 0) | (voxels == 1)):
        raise InputError(
            f"The mask {name!r} is fractional; contours hold inside or outside only. Threshold it, or write a SEG."
        )
    if not voxels.any():
        raise InputError(f"The mask {name!r} is empty. Leave it out.")
    return voxels.astype(bool)


def _contours(voxels: np.ndarray, number: int, source: SourceSeries) -> Dataset:
    to_mm = source.geometry.index_to_physical
    drawn = Dataset()
    drawn.ReferencedROINumber = number
    drawn.ROIDisplayColor = list(_COLOURS[(number - 1) % len(_COLOURS)])
    drawn.SourcePixelPlanesCharacteristicsSequence = Sequence([_planes(source)])
    drawn.ContourSequence = Sequence()
    for k in np.flatnonzero(voxels.any(axis=(1, 2))).tolist():
        for polygon in outlines(voxels[k]):
            index = np.column_stack([polygon, np.full(len(polygon), float(k))])
            points = index @ to_mm[:3, :3].T + to_mm[:3, 3]
            contour = Dataset()
            contour.ContourImageSequence = Sequence([_image(source, k)])
            contour.ContourGeometricType = "CLOSED_PLANAR"
            contour.NumberOfContourPoints = len(points)
            contour.ContourNumber = len(drawn.ContourSequence) + 1
            contour.ContourData = [f"{part:.7f}" for part in points.ravel().tolist()]
            drawn.ContourSequence.append(contour)
    return drawn


def _planes(source: SourceSeries) -> Dataset:
    geometry = source.geometry
    axes = np.reshape(geometry.direction, (3, 3))
    item = Dataset()
    item.PixelSpacing = [decimal(geometry.spacing[1]), decimal(geometry.spacing[0])]
    item.SpacingBetweenSlices = decimal(geometry.spacing[2])
    item.ImageOrientationPatient = [decimal(round(float(v), 12) + 0.0) for v in (*axes[:, 0], *axes[:, 1])]
    item.ImagePositionPatient = [decimal(round(float(v), 9) + 0.0) for v in geometry.origin]
    item.NumberOfFrames = geometry.size[2]
    item.Rows, item.Columns = geometry.shape[1:]
    return item


def _observation(number: int, name: str) -> Dataset:
    item = Dataset()
    item.ObservationNumber = item.ReferencedROINumber = number
    item.ROIObservationLabel = name[:16]
    item.RTROIInterpretedType, item.ROIInterpreter = "", ""
    return item
