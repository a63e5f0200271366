"""Reconstructed nuclear medicine images in one multi-frame file (RECON TOMO, RECON GATED TOMO).

Geometry of DICOM PS3.3 C.8.4: slice k lies at P_k = ImagePositionPatient + k * SpacingBetweenSlices * (row x column),
with position and orientation from the first item of DetectorInformationSequence, and a spacing that may be negative.
The image that comes out is right-handed, with the same physical points. Frame order is that of FrameIncrementPointer,
whose last attribute varies fastest, or of the vectors themselves (SliceVector and others) where the file holds them.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from pydicom.datadict import keyword_for_tag
from pydicom.dataset import Dataset

from bonequant.errors import AmbiguousInputError, GeometryError, InputError
from bonequant.io.dicom_header import integer, item, items, number, numbers, tag, text, texts, value
from bonequant.io.dicom_kind import is_reconstruction
from bonequant.io.dicom_stack import Plane, Stack, directions, make_geometry, pixel_spacing
from bonequant.io.dicom_values import ValueMap
from bonequant.io.overrides import Overrides
from bonequant.volume.geometry import Geometry

_COUNTS = {
    "EnergyWindowVector": "NumberOfEnergyWindows",
    "DetectorVector": "NumberOfDetectors",
    "PhaseVector": "NumberOfPhases",
    "RotationVector": "NumberOfRotations",
    "RRIntervalVector": "NumberOfRRIntervals",
    "TimeSlotVector": "NumberOfTimeSlots",
    "SliceVector": "NumberOfSlices",
    "AngularViewVector": "NumberOfFramesInRotation",
    "TimeSliceVector": "NumberOfTimeSlices",
}
_WINDOW_AXES = ("EnergyWindowVector", "DetectorVector")
_GATE_AXES = ("RRIntervalVector", "TimeSlotVector")
TIME_AXES = ("PhaseVector", "RotationVector", "TimeSliceVector", "AngularViewVector")
_WHAT_IT_IS = {
    "STATIC": "a planar (static) image",
    "WHOLE BODY": "a planar whole-body scan",
    "DYNAMIC": "a planar dynamic study",
    "GATED": "a planar gated study",
    "TOMO": "a set of tomographic projections, not yet reconstructed",
    "GATED TOMO": "a set of gated tomographic projections, not yet reconstructed",
}


def nm_stack(path: Path, header: Dataset, maps: tuple[ValueMap, ...], overrides: Overrides, label: str) -> Stack:
    """The grid of a reconstruction and the frames that fill it, in order.

    Raises InputError for planar images and projections, GeometryError for missing geometry (naming the tag and the
    keyword that supplies it) and for time series, AmbiguousInputError where gates or windows must be chosen.
    """
    require_reconstruction(header, overrides, label)
    warnings: list[str] = []
    frames = integer(header, "NumberOfFrames") or 1
    index = frame_indices(header, frames, label, warnings)
    for axis in TIME_AXES:
        if np.unique(index.get(axis, np.zeros(1))).size > 1:
            raise GeometryError(
                f"{label} is dynamic: {np.unique(index[axis]).size} values of {axis} where one 3-D volume is due. "
                "Read it with load_dynamic()."
            )
    chosen = choose_window(header, index, frames, overrides, label)
    gates = _choose_gates(index, chosen, overrides, label)
    if len(gates) == 1 and gates[0].size < chosen.size:
        warnings.append(
            f"one gate of {chosen.size // gates[0].size}: it was counted for a part of the time per projection only; "
            "give frame_duration_s, the time of the gate, before the counts become activity"
        )
    return stack_of_frames(path, header, gates, index, maps, overrides, label, warnings)


def stack_of_frames(
    path: Path,
    header: Dataset,
    gates: list[np.ndarray],
    index: dict[str, np.ndarray],
    maps: tuple[ValueMap, ...],
    overrides: Overrides,
    label: str,
    warnings: list[str],
) -> Stack:
    """The grid filled by file frames, one array of them per gate; the gates will be summed."""
    slices = [_in_slice_order(index, gate, label) for gate in gates]
    if any(gate.size != slices[0].size for gate in slices):
        raise GeometryError(f"{label}: the gates have different numbers of slices.")
    geometry, flip = _geometry(header, slices[0].size, overrides, label, warnings)
    order = np.stack(slices, axis=1)[::-1] if flip else np.stack(slices, axis=1)
    planes = tuple(tuple(Plane(path, int(frame), None, maps) for frame in row) for row in order)
    return Stack(geometry, planes, tuple(warnings))


def require_reconstruction(header: Dataset, overrides: Overrides, label: str) -> None:
    """Raise InputError that says what the image is where it is no reconstruction."""
    if overrides.image_type is not None:
        if not overrides.image_type.upper().startswith("RECON"):
            raise InputError(
                f"image_type={overrides.image_type!r} is no reconstruction; RECON TOMO is what can be read."
            )
        return
    if is_reconstruction(header):
        return
    image_type = texts(header, "ImageType")
    third = image_type[2].upper() if len(image_type) > 2 else ""
    if not third:
        raise InputError(
            f"{label}: {tag('ImageType')} does not say what this NM image is; if it is a reconstruction, give "
            'image_type="RECON TOMO".'
        )
    what = _WHAT_IT_IS.get(third, f"of type {third}")
    raise InputError(
        f"{label} is {what} ({tag('ImageType')} is {third}); a reconstruction (RECON TOMO) is due. "
        "Reconstruct it, or choose the reconstructed series."
    )


def frame_indices(header: Dataset, frames: int, label: str, warnings: list[str]) -> dict[str, np.ndarray]:
    """0-based index of every frame along every axis of the file, by vector keyword. Arrays of length ``frames``."""
    pointer = value(header, "FrameIncrementPointer")
    pointed = [] if pointer is None else pointer if not isinstance(pointer, int) else [pointer]
    axes = [keyword for entry in pointed if (keyword := keyword_for_tag(int(entry))) in _COUNTS]
    vectors = {}
    for axis in axes or _COUNTS:
        vector = numbers(header, axis)
        if vector is not None and len(vector) == frames:
            vectors[axis] = np.asarray(vector, int) - 1
        elif vector is not None and axes and frames > 1:
            raise InputError(f"{label}: {tag(axis)} has {len(vector)} values for {frames} frames.")
    if "SliceVector" in vectors and set(vectors) >= set(axes):
        return vectors
    axes = axes or [axis for axis in (*_WINDOW_AXES, *_GATE_AXES) if (integer(header, _COUNTS[axis]) or 1) > 1]
    if "SliceVector" not in axes:
        axes = [*axes, "SliceVector"]
        warnings.append(f"{tag('FrameIncrementPointer')} does not name the slices; they were taken as fastest")
    sizes = {}
    for axis in axes:
        vector_found = vectors.get(axis)
        sizes[axis] = int(vector_found.max()) + 1 if vector_found is not None else integer(header, _COUNTS[axis])
    unknown = [axis for axis in axes if not sizes[axis]]
    if len(unknown) == 1:
        known = math.prod(size for size in sizes.values() if size)
        sizes[unknown[0]] = frames // known if frames % known == 0 else None
    shape = [sizes[axis] or 0 for axis in axes]
    if math.prod(shape) != frames:
        said = ", ".join(f"{tag(_COUNTS[axis])} {size or 'absent'}" for axis, size in zip(axes, shape, strict=True))
        raise InputError(f"{label}: {frames} frames do not fit {said}. The file contradicts itself; export it again.")
    derived = np.unravel_index(np.arange(frames), shape)
    return {axis: vectors.get(axis, along) for axis, along in zip(axes, derived, strict=True)}


def choose_window(
    header: Dataset, index: dict[str, np.ndarray], frames: int, overrides: Overrides, label: str
) -> np.ndarray:
    """Frames of one energy window and detector. Raises AmbiguousInputError where one must be chosen."""
    axes = [index[axis] for axis in _WINDOW_AXES if axis in index]
    keys = np.stack(axes, axis=1) if axes else np.zeros((frames, 1), int)
    kinds = np.unique(keys, axis=0)
    chosen = overrides.window
    if len(kinds) == 1 and chosen in (None, 0):
        return np.arange(frames)
    if chosen is None or not 0 <= chosen < len(kinds):
        names = [_window_name(header, index, key) for key in kinds]
        listed = "; ".join(f"window={i}: {name}" for i, name in enumerate(names))
        raise AmbiguousInputError(f"{label} holds {len(kinds)} reconstructions; choose one of {listed}.")
    return np.flatnonzero(np.all(keys == kinds[chosen], axis=1))


def _window_name(header: Dataset, index: dict[str, np.ndarray], key: np.ndarray) -> str:
    parts = []
    for axis, place in zip((axis for axis in _WINDOW_AXES if axis in index), key.tolist(), strict=True):
        if axis == "DetectorVector":
            parts.append(f"detector {place + 1}")
            continue
        windows = items(header, "EnergyWindowInformationSequence")
        window = windows[place] if place < len(windows) else None
        limits = item(window, "EnergyWindowRangeSequence")
        low, high = number(limits, "EnergyWindowLowerLimit"), number(limits, "EnergyWindowUpperLimit")
        keV = f" {low:g}-{high:g} keV" if low is not None and high is not None else ""
        parts.append((text(window, "EnergyWindowName") or f"energy window {place + 1}") + keV)
    return ", ".join(parts)


def _choose_gates(
    index: dict[str, np.ndarray], frames: np.ndarray, overrides: Overrides, label: str
) -> list[np.ndarray]:
    """Frames of the chosen gate, or of every gate for "sum"; one entry per gate."""
    axes = [index[axis][frames] for axis in _GATE_AXES if axis in index]
    keys = np.stack(axes, axis=1) if axes else np.zeros((frames.size, 1), int)
    kinds = np.unique(keys, axis=0)
    gates = [frames[np.all(keys == kind, axis=1)] for kind in kinds]
    chosen = overrides.gate
    if chosen == "sum" or (len(gates) == 1 and chosen in (None, 0)):
        return gates
    if isinstance(chosen, int) and 0 <= chosen < len(gates):
        return [gates[chosen]]
    raise AmbiguousInputError(
        f"{label} is gated: {len(gates)} gates of {gates[0].size} slices, where one 3-D volume is due. "
        f'Choose gate=0 .. gate={len(gates) - 1}, or gate="sum" for all counts together.'
    )


def _in_slice_order(index: dict[str, np.ndarray], frames: np.ndarray, label: str) -> np.ndarray:
    numbers_of_slices = index["SliceVector"][frames]
    order = np.argsort(numbers_of_slices, kind="stable")
    if not np.array_equal(numbers_of_slices[order], np.arange(frames.size)):
        raise GeometryError(
            f"{label}: {tag('SliceVector')} numbers {frames.size} slices "
            f"{sorted((numbers_of_slices + 1).tolist())[:12]}; 1 to {frames.size}, each once, are due."
        )
    return frames[order]


def _geometry(
    header: Dataset, count: int, overrides: Overrides, label: str, warnings: list[str]
) -> tuple[Geometry, bool]:
    """The right-handed grid, and whether the slices run against row x column in the file."""
    position = overrides.image_position_patient or _of_detector(header, "ImagePositionPatient", 3, warnings)
    orientation = overrides.image_orientation_patient or _of_detector(header, "ImageOrientationPatient", 6, warnings)
    for found, keyword, way_out in (
        (position, "ImagePositionPatient", "image_position_patient=(x, y, z) of the first slice"),
        (orientation, "ImageOrientationPatient", "image_orientation_patient=(six cosines)"),
    ):
        if found is None:
            raise GeometryError(
                f"{label}: {tag('DetectorInformationSequence')} holds no {tag(keyword)}; give {way_out}."
            )
    step = overrides.spacing_between_slices_mm
    step = number(header, "SpacingBetweenSlices") if step is None else step
    if step is None:
        thickness = number(header, "SliceThickness")
        hint = f"; {tag('SliceThickness')} is {thickness:g} mm, which need not be the spacing" if thickness else ""
        raise GeometryError(
            f"{label}: {tag('SpacingBetweenSlices')} is absent{hint}. Give spacing_between_slices_mm "
            "(negative where slices run against row x column)."
        )
    if step == 0:
        raise GeometryError(f"{label}: {tag('SpacingBetweenSlices')} is 0; give spacing_between_slices_mm.")
    down, across = pixel_spacing(overrides.pixel_spacing_mm or numbers(header, "PixelSpacing"), label)
    row, column, normal = directions(orientation, label)
    first = np.asarray(position, float)
    origin = first + (count - 1) * step * normal if step < 0 else first
    size = (integer(header, "Columns") or 0, integer(header, "Rows") or 0, count)
    return make_geometry(size, (across, down, abs(step)), origin, row, column, normal), step < 0


def _of_detector(header: Dataset, keyword: str, count: int, warnings: list[str]) -> tuple[float, ...] | None:
    found = numbers(item(header, "DetectorInformationSequence"), keyword, count)
    if found is None:
        found = numbers(header, keyword, count)
        if found is not None:
            warnings.append(f"{tag(keyword)} stands outside {tag('DetectorInformationSequence')}; taken from there")
    return found
