"""``info``: what lies at a path, what is known about it, and what is missing before it can be quantified.

Only headers are read. Every missing fact is named with the keyword by which the caller supplies it.
"""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import SimpleITK as sitk

from bonequant.errors import BoneQuantError, InputError, MissingFactError
from bonequant.io.dicom_facts import acquisition_of
from bonequant.io.dicom_header import reader
from bonequant.io.dicom_values import choose_unit
from bonequant.io.dicom_volume import plan_series
from bonequant.io.dynamic import plan_frames
from bonequant.io.dynamic_image_file import frame_grid, header_times
from bonequant.io.image_files import FIELD
from bonequant.io.itk_files import read_itk_header
from bonequant.io.overrides import Overrides
from bonequant.io.plain_geometry import plain_grid
from bonequant.io.series import SeriesInfo, image_suffix
from bonequant.io.sorting import scan
from bonequant.progress import Progress
from bonequant.volume import Acquisition
from bonequant.volume.geometry import Geometry

_PERSONAL = ("patient_id", "patient_name")
_SUV_FACTS = {
    "patient_weight_kg": "Patient weight",
    "injected_activity_bq": "Injected activity",
    "injection_time": "Time of injection",
    "acquisition_start": "Start of the acquisition",
    "decay_correction": "Decay correction (START, ADMIN or NONE)",
}
_COUNT_FACTS = {
    "calibration_factor_cps_per_mbq": "Calibration factor of the camera",
    "frame_duration_s": "Time per projection",
    "number_of_projections": "Number of projections",
}


@dataclass(frozen=True)
class SeriesReport:
    """One series in plain words.

    Attributes:
        series: as :func:`bonequant.io.scan` found it.
        what: one line.
        geometry: the grid, None where it forms none.
        unit: of the voxels, "" where unknown.
        facts: acquisition facts that the file holds, without patient name and identifier.
        protocol: protocol record, keys of ``bonequant.io.dicom_protocol.PROTOCOL``.
        missing: what quantification lacks, each with the keyword that supplies it.
        times_s: of the frames of a dynamic series, () for a volume.
        problems: why it cannot be read, () where it can.
        warnings: what the reader noticed.
    """

    series: SeriesInfo
    what: str
    geometry: Geometry | None = None
    unit: str = ""
    facts: dict[str, Any] = dataclasses.field(default_factory=dict)
    protocol: dict[str, Any] = dataclasses.field(default_factory=dict)
    times_s: tuple[float, ...] = ()
    missing: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@reader
def info(path: str | os.PathLike[str], progress: Progress | None = None) -> list[SeriesReport]:
    """Report on every series at ``path``. Raises InputError where nothing is there that can be read."""
    found = scan(path, progress)
    if not found:
        raise InputError(f"{path} holds neither DICOM nor NRRD, NIfTI or MetaImage files.")
    return [_report(series) for series in found]


def _report(series: SeriesInfo) -> SeriesReport:
    path = series.files[0]
    if series.kind in ("slices", "multi-frame", "nuclear medicine"):
        try:
            plan = plan_series(series, Overrides())
        except BoneQuantError as error:
            return _report_dynamic(series) or SeriesReport(series, series.label, problems=(str(error),))
        return SeriesReport(
            series=series,
            what=series.label,
            geometry=plan.stack.geometry,
            unit=plan.unit,
            facts=_facts(plan.acquisition),
            protocol=plan.acquisition.protocol,
            missing=missing_facts(plan.modality, plan.unit, plan.acquisition),
            warnings=plan.warnings,
        )
    if image_suffix(path):
        return _report_image_file(series, path)
    reasons = {
        "damaged": f"{path.name} is truncated or damaged.",
        "picture": "A colour picture cannot be measured.",
        "other": "No image that can be measured.",
    }
    problems = (reasons[series.kind],) if series.kind in reasons else ()
    return SeriesReport(series, series.label, problems=problems)


def _report_dynamic(series: SeriesInfo) -> SeriesReport | None:
    """A series of several frames over time; None where it is none either."""
    try:
        plan = plan_frames([series], series.modality, Overrides(), None, series.label)
    except MissingFactError as error:
        return SeriesReport(series, series.label, missing=(str(error),))
    except BoneQuantError:
        return None
    acquisition, remarks = acquisition_of(plan.headers, series.modality)
    return SeriesReport(
        series=series,
        what=series.label,
        geometry=plan.stacks[0].geometry,
        unit=choose_unit(plan.stacks[0].slices[0][0].maps, None),
        facts=_facts(acquisition),
        protocol={**acquisition.protocol, **plan.protocol},
        times_s=tuple(plan.times_s.tolist()),
        warnings=(*plan.warnings, *remarks),
    )


def missing_facts(modality: str, unit: str, acquisition: Acquisition) -> tuple[str, ...]:
    """Plain sentences on the facts that activity and SUV need and that are not there."""
    if modality not in ("PT", "NM") or unit.startswith("SUV"):
        return ()
    needed = dict(_SUV_FACTS)
    if acquisition.decay_correction == "ADMIN":  # corrected to the injection: the time in between does not count
        needed = {name: what for name, what in needed.items() if name not in ("injection_time", "acquisition_start")}
    if acquisition.decay_correction == "NONE" and acquisition.frame_duration_s is None:
        needed["acquisition_duration_s"] = "Duration of the acquisition"
    if unit != "Bq/mL":
        needed = {**_COUNT_FACTS, **needed}
    lacking = [name for name in needed if getattr(acquisition, name) is None]
    missing = [f"{needed[name]} is not in the file: give {name}." for name in lacking]
    if acquisition.half_life_s is None and acquisition.radionuclide is None:
        missing.append("Neither radionuclide nor half-life is in the file: give radionuclide or half_life_s.")
    if not acquisition.injected_activity_bq and acquisition.injected_activity_bq is not None:
        missing.append("The injected activity in the file is 0: give injected_activity_bq.")
    return tuple(missing)


def _report_image_file(series: SeriesInfo, path: Path) -> SeriesReport:
    try:
        header = read_itk_header(path)
    except InputError:
        return SeriesReport(series, series.label, problems=(f"{path.name} cannot be read; is it damaged?",))
    size = header.GetSize()
    keys = header.GetMetaDataKeys()
    unit = header.GetMetaData("BoneQuant_unit") if "BoneQuant_unit" in keys else ""
    what = f"{series.label}, {' x '.join(map(str, size))} voxels"
    if len(size) == 4 or (len(size) == 3 and header.GetNumberOfComponents() > 1 and series.kind != "segmentation"):
        return _report_frames(series, path, header, what, unit)
    if len(size) != 3 or (header.GetNumberOfComponents() != 1 and series.kind != "segmentation"):
        return SeriesReport(series, what, problems=(f"{path.name} is not one 3-D volume.",))
    (x, y, z), spacing, origin = size, header.GetSpacing(), header.GetOrigin()
    geometry = Geometry((x, y, z), spacing, origin, header.GetDirection())
    try:
        plain_grid(path, header, geometry, Overrides())
    except InputError as error:
        return SeriesReport(series, what, problems=(str(error),))
    missing = (
        () if unit or series.kind == "segmentation" else ("The file does not say its modality and unit: give both.",)
    )
    return SeriesReport(series, what, geometry=geometry, unit=unit, missing=missing)


def _report_frames(series: SeriesInfo, path: Path, header: sitk.ImageFileReader, what: str, unit: str) -> SeriesReport:
    warnings: list[str] = []
    try:
        times = tuple(header_times(path, header, warnings).tolist())
    except MissingFactError as error:
        return SeriesReport(series, what, geometry=frame_grid(header), unit=unit, missing=(str(error),))
    except InputError as error:
        return SeriesReport(series, what, problems=(str(error),))
    said = unit or f"{FIELD}modality" in header.GetMetaDataKeys()  # MR signal has no unit
    missing = () if said else ("The file does not say its modality and unit: give both.",)
    return SeriesReport(
        series, what, geometry=frame_grid(header), unit=unit, times_s=times, missing=missing, warnings=tuple(warnings)
    )


def _facts(acquisition: Acquisition) -> dict[str, Any]:
    facts = {}
    for entry in dataclasses.fields(acquisition):
        fact = getattr(acquisition, entry.name)
        if entry.name in (*_PERSONAL, "protocol") or fact is None or fact == ():
            continue
        facts[entry.name] = fact.isoformat(sep=" ") if isinstance(fact, datetime) else fact
    return facts
