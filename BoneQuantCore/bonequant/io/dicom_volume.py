"""One DICOM series to one Volume: first the plan (grid, facts, order) from headers, then the pixels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset

from bonequant.errors import InputError
from bonequant.io.dicom_enhanced import enhanced_stack
from bonequant.io.dicom_facts import acquisition_of
from bonequant.io.dicom_header import integer, number, numbers, read_header, tag
from bonequant.io.dicom_nm import nm_stack, require_reconstruction
from bonequant.io.dicom_pixels import read_frames
from bonequant.io.dicom_stack import Plane, PlaneForm, Stack, arrange
from bonequant.io.dicom_values import apply_maps, choose_unit, value_maps
from bonequant.io.image_files import finite
from bonequant.io.overrides import Overrides
from bonequant.io.series import SeriesInfo
from bonequant.io.sorting import plane_orientation, plane_position
from bonequant.progress import Progress, no_progress
from bonequant.provenance import hash_files
from bonequant.volume import Acquisition, Volume, image_from_array


@dataclass(frozen=True)
class Plan:
    """What a series will be once its pixels are read."""

    series: SeriesInfo
    stack: Stack
    modality: str
    unit: str
    acquisition: Acquisition
    warnings: tuple[str, ...]


def plan_series(series: SeriesInfo, overrides: Overrides, source: str = "") -> Plan:
    """Grid, unit and facts from the headers. Raises InputError or GeometryError where they form no volume."""
    label = f"{source or series.files[0]} ({series.label})"
    headers = series_headers(series)
    modality = overrides.modality or series.modality
    if series.kind == "nuclear medicine":
        maps = value_maps(headers[0], modality)
        stack = nm_stack(series.files[0], headers[0], maps, overrides, label)
    elif series.kind == "multi-frame":
        stack = enhanced_stack(series.files[0], headers[0], modality, overrides, label)
    elif series.kind == "slices":
        stack = _classic_stack(series, headers, modality, overrides, label)
    else:
        raise InputError(f"{label} is no image that can be measured.")
    maps = stack.slices[0][0].maps
    unit = choose_unit(maps, overrides.unit)
    if len(stack.slices[0]) > 1 and unit != "counts":
        raise InputError(
            f'{label}: its gates are in {unit or "no unit"}, and only counts add up; choose one gate, or unit="counts".'
        )
    acquisition, remarks = acquisition_of(headers, modality)
    offered = sorted({one.unit or "no unit" for one in maps if one.unit != unit})
    if offered:
        remarks.append(f"values were mapped to {unit or 'no unit'}; the file also offers {', '.join(offered)} (unit=)")
    if unit == "counts" and "philips_activity_scale_factor" in acquisition.protocol:
        remarks.append("counts; the private factor philips_activity_scale_factor would make them Bq/mL")
    if series.n_copies:
        remarks.append(f"{series.n_copies} files are copies of slices of this series; they were left aside")
    warnings = (*overrides.contradictions(acquisition), *stack.warnings, *remarks)
    return Plan(series, stack, modality, unit, overrides.apply_facts(acquisition), warnings)


def series_headers(series: SeriesInfo) -> list[Dataset]:
    """Headers of all files. Raises InputError for one that broke off."""
    headers = []
    for path in series.files:
        header = read_header(path)
        if header is None or "Rows" not in header:
            raise InputError(f"{path} is truncated or damaged: it ends before the description of its pixels.")
        headers.append(header)
    return headers


def read_series(series: SeriesInfo, overrides: Overrides, source: str, progress: Progress | None = None) -> Volume:
    """The Volume of a series. CT in whole HU stays int16, all else becomes float32."""
    report = progress or no_progress
    plan = plan_series(series, overrides, source)
    array, remarks = _read_pixels(plan, report)
    unit = plan.unit
    if overrides.unit is not None and overrides.unit != unit:
        remarks.append(f"the file says {unit or 'no unit'}; the unit {overrides.unit} was given by the caller")
        unit = overrides.unit
    geometry = plan.stack.geometry
    array = finite(array, overrides.replace_nan, source)
    report(1.0, f"Read {series.modality} of {geometry.shape}")
    return Volume(
        image=image_from_array(array, geometry),
        modality=plan.modality,
        unit=unit,
        acquisition=plan.acquisition,
        name=" ".join(filter(None, (plan.modality, series.description))),
        source=source,
        sha256=hash_files(series.files),
        warnings=(*plan.warnings, *remarks),
    )


def _classic_stack(
    series: SeriesInfo, headers: Sequence[Dataset], modality: str, overrides: Overrides, label: str
) -> Stack:
    if modality == "NM" and series.kind == "slices" and "DetectorInformationSequence" in headers[0]:
        require_reconstruction(headers[0], overrides, label)
    planes = [classic_plane(path, header, modality) for path, header in zip(series.files, headers, strict=True)]
    return arrange(planes, plane_form(headers[0]), overrides, label)


def classic_plane(path: Path, header: Dataset, modality: str) -> Plane:
    """The plane of a file that holds one slice."""
    return Plane(path, 0, plane_position(header), value_maps(header, modality), integer(header, "InstanceNumber"))


def plane_form(header: Dataset) -> PlaneForm:
    """What the slices of a classic series share."""
    return PlaneForm(
        rows=integer(header, "Rows") or 0,
        columns=integer(header, "Columns") or 0,
        orientation=plane_orientation(header),
        pixel_spacing_mm=numbers(header, "PixelSpacing"),
        slice_thickness_mm=number(header, "SliceThickness"),
        spacing_between_slices_mm=number(header, "SpacingBetweenSlices"),
    )


def slice_values(
    slices: Sequence[tuple[Plane, ...]], shape: tuple[int, int], unit: str, remarks: dict[str, None]
) -> Iterator[np.ndarray]:
    """The pixels of one slice after the other, mapped to ``unit``, gates summed; a file is read once for its run.

    ``remarks`` collects what is worth a warning. Raises InputError where a frame is missing or of another size.
    """
    held: tuple[object, np.ndarray | None] = (None, None)
    for planes in slices:
        total: np.ndarray | None = None
        for plane in planes:
            if held[0] != plane.path or held[1] is None:
                held = (plane.path, read_frames(plane.path))
            frames = held[1]
            assert frames is not None
            if plane.frame >= len(frames) or frames.shape[1:] != shape:
                raise InputError(
                    f"{plane.path}: frame {plane.frame + 1} of {shape} pixels is due, the file holds "
                    f"{frames.shape}. See {tag('NumberOfFrames')}."
                )
            values, remark = apply_maps(frames[plane.frame], plane.maps, unit)
            if remark:
                remarks[remark] = None
            # In float64: the sum of gates does not fit into the stored type.
            total = values if total is None else np.add(total, values, dtype=np.float64)
        assert total is not None
        yield total


def _read_pixels(plan: Plan, report: Progress) -> tuple[np.ndarray, list[str]]:
    geometry, slices = plan.stack.geometry, plan.stack.slices
    array = np.empty(geometry.shape, np.int16 if plan.modality == "CT" else np.float32)
    remarks: dict[str, None] = {}
    for place, values in enumerate(slice_values(slices, geometry.shape[1:], plan.unit, remarks)):
        report(place / len(slices), f"Reading slice {place + 1} of {len(slices)}")
        if array.dtype == np.int16 and not _fits_int16(values):
            array = array.astype(np.float32)
        array[place] = values
    return array, list(remarks)


def _fits_int16(values: np.ndarray) -> bool:
    if values.dtype.kind == "f" and not np.array_equal(values, np.rint(values)):
        return False
    return bool(values.min() >= -32768 and values.max() <= 32767)
