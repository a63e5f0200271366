"""DICOM objects of every date whose images were DICOM: SEG, SR, parametric maps and RTSTRUCT, in one folder per date.

Regions refer to the series of their date: the DCE series, else the image by which the date was aligned. Maps are Vp and
Ktrans, and SPECT and PET in SUV. A carried outline is written on that series' grid where it covers half of a
voxel or more, since DICOM has no outline in another series' space; measurements were not made on it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from bonequant.errors import InputError
from bonequant.io.export import (
    MeasuredLesion,
    Quantity,
    Response,
    Segment,
    SourceSeries,
    source_series,
    tracking_uid,
    write_dicom_seg,
    write_measurement_report,
    write_parametric_map,
    write_rtstruct,
)
from bonequant.response import Call
from bonequant.roi import propagate
from bonequant.studies.treatment_response.inputs import DateInputs, file_name
from bonequant.studies.treatment_response.result import ResponseResult
from bonequant.studies.treatment_response.tabulation import image_measures
from bonequant.studies.treatment_response.uptake import NUCLEAR, SUV_UNITS
from bonequant.volume import same_grid

_MAPS = ("vp", "ktrans")
_MEASURES = {  # of the table of lesions, by their names in io.export.codes
    "vp": "vp_mean",
    "vp_normalised": "vp_normalised",
    "vp_change_percent": "vp_normalised_change_percent",
    "ktrans": "ktrans_mean",
    "ktrans_normalised": "ktrans_normalised",
    "ktrans_normalised_change_percent": "ktrans_normalised_change_percent",
    "volume_ml": "volume_ml",
    "longest_mm": "long_diameter_mm",
    "perpendicular_mm": "short_diameter_mm",
    "product_mm2": "size_product_mm2",
    "size_change_percent": "size_change_percent",
}


def write_dicom(result: ResponseResult, folder: Path, *, identified: bool = False) -> list[Path]:
    """Write what can be written and return the files.

    Raises InputError where no date was read from DICOM, MissingDependencyError without highdicom.
    """
    sources = {k: _source(result, k) for k in range(len(result.dates))}
    known = {k: source for k, source in sources.items() if source is not None}
    if not known:
        raise InputError("DICOM objects refer to DICOM images, and no date was read from such: leave out --dicom.")
    study_uid = next(iter(known.values())).study_uid
    files: list[Path] = []
    for k, source in known.items():
        place = folder / file_name(result.dates[k].name)
        place.mkdir(parents=True)
        files += _date(result, k, source, place, study_uid, identified)
    return files


def _source(result: ResponseResult, k: int) -> SourceSeries | None:
    """The DICOM series of a date; None where it was read from another kind of file, or made in code."""
    one = result.dates[k]
    if one.dce is None:
        return _of_image(one, result.anatomies[k][0])
    if one.folder is None or not one.dce.series.acquisition.series_uid:
        return None
    return source_series(one.folder, series=one.dce.series.acquisition.series_uid)


def _of_image(one: DateInputs, role: str) -> SourceSeries | None:
    folder, uid = one.image_folders.get(role), one.images[role].acquisition.series_uid
    return source_series(folder, series=uid) if folder and uid else None


def _date(
    result: ResponseResult,
    k: int,
    source: SourceSeries,
    place: Path,
    study_uid: str,
    identified: bool,
) -> list[Path]:
    files = _maps(result, k, source, place, identified)
    grid = result.anatomies[k][1].image
    segments, lesions = [], []
    for lesion in result.lesions:
        uid = tracking_uid(lesion.tracking_id, study_uid)
        outline = lesion.outlines[k]
        mask = _on(grid, outline.mask, outline.transform)
        label = ""
        if mask is not None:
            label = lesion.tracking_id
            segments.append(Segment(mask, label, tracking_id=lesion.tracking_id, tracking_uid=uid))
        reference = result.references[lesion.tracking_id][k]
        healthy = _on(grid, reference.mask, reference.transform)
        if healthy is not None:
            segments.append(Segment(healthy, f"{lesion.tracking_id} reference", kind="reference region"))
        call = result.vp_calls.get(k, {}).get(lesion.tracking_id)
        lesions.append(
            MeasuredLesion(
                lesion.tracking_id,
                _values(result, lesion.tracking_id, k),
                segment=label,
                tracking_uid=uid,
                responses=[_response(call)] if call is not None else [],
                comments=[f"Outline {outline.origin}."],
            )
        )
    if k in result.patient_calls:
        lesions.append(MeasuredLesion("patient", kind="tumour", responses=[_response(result.patient_calls[k])]))
    if segments:
        seg = write_dicom_seg(segments, place / "regions.dcm", source, identified=identified)
        files.append(seg.path)
        masks = {segment.label: segment.mask for segment in segments}
        files.append(write_rtstruct(masks, place / "contours.dcm", source, identified=identified))
        files.append(write_measurement_report(lesions, place / "measurements.dcm", source, seg, identified=identified))
    return files


def _maps(result: ResponseResult, k: int, source: SourceSeries, place: Path, identified: bool) -> list[Path]:
    study, one = result.dce[k], result.dates[k]
    files = []
    if study is not None:
        for name in [name for name in _MAPS if name in study.maps]:
            path = place / f"{name}.dcm"
            volume = study.maps[name]
            files.append(write_parametric_map(volume, path, source, name, anatomy="spine", identified=identified))
    for role, image in one.images.items():
        own = _of_image(one, role) if image.modality in NUCLEAR and image.unit in SUV_UNITS else None
        if own is not None:
            path = place / f"{file_name(role)}_suv.dcm"
            files.append(write_parametric_map(image, path, own, SUV_UNITS[image.unit], identified=identified))
    return files


def _values(result: ResponseResult, tracking_id: str, k: int) -> dict[str | Quantity, float]:
    row = next(r for r in result.rows if r["tracking_id"] == tracking_id and r["date"] == result.dates[k].name)
    found: dict[str | Quantity, float] = {
        name: float(row[key]) for key, name in _MEASURES.items() if row.get(key) is not None
    }
    for (date, role, name), measured in result.images.lesions.items():
        if (date, name) == (k, tracking_id):
            found.update(image_measures(result, k, role, measured).items())
    return {name: value for name, value in found.items() if np.isfinite(value)}


def _response(call: Call) -> Response:
    return Response(call.criterion, call.category, call.rule)


def _on(like: sitk.Image, mask: sitk.Image | None, transform: sitk.Transform | None) -> sitk.Image | None:
    """A mask on the grid of the series, binary; None where nothing of it is there."""
    if mask is None:
        return None
    if transform is None and same_grid(mask, like):
        found = sitk.Cast(mask > 0, sitk.sitkUInt8) if mask.GetPixelID() != sitk.sitkUInt8 else mask
    else:
        found = sitk.Cast(propagate(mask, like, transform) >= 0.5, sitk.sitkUInt8)
    return found if sitk.GetArrayViewFromImage(found).any() else None
