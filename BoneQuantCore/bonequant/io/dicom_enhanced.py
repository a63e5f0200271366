"""Enhanced multi-frame objects (CT, MR, PET, parametric maps): the planes of one stack from the functional groups.

Each frame's position, orientation, spacing and values come from its item of PerFrameFunctionalGroupsSequence, or from
SharedFunctionalGroupsSequence where they are the same for all (DICOM PS3.3 C.7.6.16).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset

from bonequant.errors import AmbiguousInputError, GeometryError
from bonequant.io.dicom_header import integer, item, items, number, numbers, text
from bonequant.io.dicom_stack import Plane, PlaneForm, Stack, arrange
from bonequant.io.dicom_values import value_maps
from bonequant.io.overrides import Overrides


def enhanced_stack(path: Path, header: Dataset, modality: str, overrides: Overrides, label: str) -> Stack:
    """Raises AmbiguousInputError where the object holds several stacks, GeometryError for impossible geometry."""
    planes, form, _ = enhanced_planes(path, header, modality, overrides, label)
    return arrange(planes, form, overrides, label)


def enhanced_planes(
    path: Path, header: Dataset, modality: str, overrides: Overrides, label: str
) -> tuple[list[Plane], PlaneForm, list[tuple[Dataset | None, ...]]]:
    """The planes of the one stack in the file's order, what they share, and the functional groups of each."""
    groups = frame_groups(header)
    if not groups:
        raise GeometryError(
            f"{label} has several frames and no functional groups that say where they lie; export it as single slices."
        )
    chosen = _one_stack(groups, overrides, label)
    first = groups[chosen[0]]
    measures = sequence_item(first, "PixelMeasuresSequence")
    form = PlaneForm(
        rows=integer(header, "Rows") or 0,
        columns=integer(header, "Columns") or 0,
        orientation=numbers(sequence_item(first, "PlaneOrientationSequence"), "ImageOrientationPatient", 6),
        pixel_spacing_mm=numbers(measures, "PixelSpacing", 2),
        slice_thickness_mm=number(measures, "SliceThickness"),
        spacing_between_slices_mm=number(measures, "SpacingBetweenSlices"),
    )
    planes = [
        Plane(path, frame, frame_position(groups[frame]), value_maps(header, modality, groups[frame]), frame)
        for frame in chosen
    ]
    return planes, form, [groups[frame] for frame in chosen]


def frame_groups(header: Dataset) -> list[tuple[Dataset | None, ...]]:
    """For each frame its own functional groups, then the shared ones."""
    shared = item(header, "SharedFunctionalGroupsSequence")
    own = items(header, "PerFrameFunctionalGroupsSequence")
    if own:
        return [(frame, shared) for frame in own]
    return [(None, shared)] * (integer(header, "NumberOfFrames") or 1) if shared is not None else []


def sequence_item(groups: Sequence[Dataset | None], keyword: str) -> Dataset | None:
    """The item of a functional group, the frame's own before the shared one."""
    found = (item(group, keyword) for group in groups)
    return next((one for one in found if one is not None), None)


def frame_position(groups: Sequence[Dataset | None]) -> tuple[float, ...] | None:
    return numbers(sequence_item(groups, "PlanePositionSequence"), "ImagePositionPatient", 3)


def frame_orientation(groups: Sequence[Dataset | None]) -> tuple[float, ...] | None:
    return numbers(sequence_item(groups, "PlaneOrientationSequence"), "ImageOrientationPatient", 6)


def _one_stack(groups: list[tuple[Dataset | None, ...]], overrides: Overrides, label: str) -> list[int]:
    """Frames of the one stack, told apart by StackID and by orientation."""
    stacks: list[tuple[str, tuple[float, ...], list[int]]] = []
    for frame, group in enumerate(groups):
        name = text(sequence_item(group, "FrameContentSequence"), "StackID") or ""
        orientation = frame_orientation(group) or ()
        for known, other, frames in stacks:
            if known == name and len(other) == len(orientation) and np.allclose(other, orientation, atol=1e-3):
                frames.append(frame)
                break
        else:
            stacks.append((name, orientation, [frame]))
    if overrides.stack is not None:
        stacks = [entry for entry in stacks if entry[0] == str(overrides.stack)] or stacks
    if len(stacks) > 1:
        listed = "; ".join(f'stack="{name}": {len(frames)} frames, rows along {o[:3]}' for name, o, frames in stacks)
        raise AmbiguousInputError(f"{label} holds {len(stacks)} stacks; choose one of {listed}.")
    return stacks[0][2]
