"""One plain header per slice of the source, for highdicom, and the way back from them to the true files and frames.

highdicom takes classic slices and enhanced multi-frame images; NM objects, gated files and single phases of a dynamic
file are neither. Each slice is therefore given to it as a classic slice with a UID of its own, and afterwards every
reference to that UID is turned into the reference it stands for: SOP instance, and frame number where there is one.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydicom.dataset import Dataset

from bonequant.io.dicom_header import text
from bonequant.io.export.dicom_object import decimal, new_uid, patient_and_study
from bonequant.io.export.source import SourcePlane, SourceSeries

_SINGLE_FRAME = "1.2.840.10008.5.1.4.1.1.4"  # MR Image Storage, in the place of every multi-frame class


def stand_ins(source: SourceSeries, identified: bool) -> list[Dataset]:
    """Headers in the order of the grid, with the grid's own geometry in as many digits as DICOM holds."""
    geometry = source.geometry
    matrix = geometry.index_to_physical
    axes = matrix[:3, :3] / geometry.spacing
    orientation = [decimal(round(float(part), 12) + 0.0) for part in (*axes[:, 0], *axes[:, 1])]
    common = patient_and_study(source, identified)
    common.SeriesInstanceUID = source.series_uid
    common.Modality = text(source.header, "Modality") or "OT"
    common.FrameOfReferenceUID = source.frame_of_reference_uid
    common.PositionReferenceIndicator = text(source.header, "PositionReferenceIndicator") or ""
    common.Rows, common.Columns = geometry.shape[1:]
    common.ImageOrientationPatient = orientation
    common.PixelSpacing = [decimal(geometry.spacing[1]), decimal(geometry.spacing[0])]
    common.SliceThickness = common.SpacingBetweenSlices = decimal(geometry.spacing[2])
    result = []
    for k, plane in enumerate(source.planes):
        ds = Dataset()
        ds.update(common)
        ds.SOPClassUID = plane.header.SOPClassUID if plane.frame is None else _SINGLE_FRAME
        ds.SOPInstanceUID = new_uid()
        ds.ImagePositionPatient = [decimal(round(float(part), 9) + 0.0) for part in (matrix @ (0.0, 0.0, k, 1.0))[:3]]
        result.append(ds)
    return result


def point_to_sources(ds: Dataset, stands: Sequence[Dataset], planes: Sequence[SourcePlane]) -> None:
    """Turn every reference to a stand-in, at any depth of ``ds``, into one to the slice it stands for."""
    by_uid = {str(stand.SOPInstanceUID): plane for stand, plane in zip(stands, planes, strict=True)}
    _turn(ds, by_uid)
    for series in ds.get("ReferencedSeriesSequence", []):
        seen: dict[str, Dataset] = {}
        for instance in series.ReferencedInstanceSequence:
            instance.pop("ReferencedFrameNumber", None)
            seen.setdefault(str(instance.ReferencedSOPInstanceUID), instance)
        series.ReferencedInstanceSequence = list(seen.values())


def _turn(ds: Dataset, by_uid: dict[str, SourcePlane]) -> None:
    for element in ds:
        if element.VR == "SQ":
            for item in element.value:
                _turn(item, by_uid)
    plane = by_uid.get(str(ds.get("ReferencedSOPInstanceUID", "")))
    if plane is not None:
        ds.ReferencedSOPClassUID = plane.header.SOPClassUID
        ds.ReferencedSOPInstanceUID = plane.header.SOPInstanceUID
        if plane.frame is not None:
            ds.ReferencedFrameNumber = plane.frame
