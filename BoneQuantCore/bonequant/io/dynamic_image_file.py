"""Dynamic series in plain image files: NRRD sequences of Slicer, MultiVolume NRRD, 4-D NIfTI and MetaImage.

Where the frame times come from, in this order: the caller; ``axis N index values`` (Slicer sequence, with the unit of
that axis); ``MultiVolume.FrameLabels`` (Slicer's MultiVolume, with FrameIdentifyingDICOMTagUnits); NIfTI's pixdim[4]
and toffset if xyzt_units names a unit of time. The frame axis of a NRRD may be the first or the last (kind "list").
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from bonequant.errors import InputError, MissingFactError
from bonequant.io.dynamic_times import check_times, gaps, refuse_disorder
from bonequant.io.image_files import FIELD
from bonequant.io.itk_files import read_itk
from bonequant.io.overrides import Overrides
from bonequant.io.plain_geometry import header_fields, plain_grid
from bonequant.io.series import image_suffix, stem
from bonequant.progress import Progress
from bonequant.provenance import hash_files
from bonequant.volume import DynamicSeries, acquisition_from_json
from bonequant.volume.geometry import Geometry
from bonequant.volume.types import MODALITIES

_SECONDS = {"s": 1.0, "sec": 1.0, "second": 1.0, "seconds": 1.0, "ms": 1e-3, "us": 1e-6, "min": 60.0, "minute": 60.0}
_NIFTI_SECONDS = {8: 1.0, 16: 1e-3, 24: 1e-6}
_NIFTI_TIME_BITS = 0x38
Header = sitk.Image | sitk.ImageFileReader


def read_dynamic_file(path: Path, overrides: Overrides, times_s: Any, report: Progress) -> DynamicSeries:
    """Raises InputError for what is no series or damaged, MissingFactError (times_s) where the file has no times."""
    report(0.0, f"Reading {path.name}")
    image = _read(path)
    own = {key[len(FIELD) :]: image.GetMetaData(key) for key in image.GetMetaDataKeys() if key.startswith(FIELD)}
    warnings: list[str] = []
    frames = _Frames(sitk.GetArrayViewFromImage(image), image.GetDimension() == 3)
    grid = plain_grid(path, image, frame_grid(image), overrides)
    count = len(frames)
    times = header_times(path, image, warnings) if times_s is None else check_times(times_s, count, str(path))
    array = np.empty((count, *grid.shape), np.float32)
    bad = 0
    for k in range(count):
        report(0.5 + 0.5 * k / count, f"Reading frame {k + 1} of {count}")
        array[k] = frames[k]
        finite = np.isfinite(array[k])
        if not finite.all():
            bad += int(finite.size - finite.sum())
            if overrides.replace_nan is not None:
                array[k][~finite] = overrides.replace_nan
    if bad:
        done = "stay so" if overrides.replace_nan is None else f"were set to {overrides.replace_nan:g}"
        warnings.append(f"{bad} values ({100 * bad / array.size:.3g} %) are NaN or infinite; they {done}")
    modality = overrides.modality or own.get("modality", "OT")
    durations = json.loads(own["durations_s"]) if own.get("durations_s") else None
    report(1.0, f"Read {count} frames of {grid.shape}")
    return DynamicSeries(
        frames=array,
        times_s=times,
        geometry=grid,
        modality=modality if modality in MODALITIES else "OT",
        unit=own.get("unit", "") if overrides.unit is None else overrides.unit,
        acquisition=overrides.apply_facts(acquisition_from_json(own.get("acquisition", "{}"), str(path))),
        durations_s=None if durations is None or len(durations) != count else np.array(durations, dtype=float),
        name=own.get("name") or stem(path).removesuffix(".seq"),
        source=str(path),
        sha256=hash_files([path]),
        warnings=tuple(warnings),
    )


@dataclass(frozen=True)
class _Frames:
    """Frame k as an array (z, y, x), whichever axis of the file runs over frames."""

    array: np.ndarray
    last: bool

    def __len__(self) -> int:
        return self.array.shape[-1 if self.last else 0]

    def __getitem__(self, k: int) -> np.ndarray:
        return self.array[..., k] if self.last else self.array[k]


def _read(path: Path) -> sitk.Image:
    image = read_itk(path, ' The frames of a NRRD must lie along an axis of kind "list" without space direction.')
    if image.GetDimension() == 4 or (image.GetDimension() == 3 and image.GetNumberOfComponentsPerPixel() > 1):
        if "complex" in image.GetPixelIDTypeAsString() or (
            image.GetDimension() == 4 and image.GetNumberOfComponentsPerPixel() > 1
        ):
            raise InputError(f"{path} holds several values per voxel and frame; one is due.")
        return image
    raise InputError(f"{path} has {image.GetDimension()} dimensions and no frames; read a single volume with load().")


def frame_grid(image: Header) -> Geometry:
    """Grid of one frame."""
    last = image.GetDimension()  # 3 where the components are the frames
    direction = np.reshape(image.GetDirection(), (last, last))[:3, :3]
    x, y, z = image.GetSize()[:3]
    return Geometry((x, y, z), image.GetSpacing()[:3], image.GetOrigin()[:3], tuple(direction.ravel().tolist()))


def header_times(path: Path, image: Header, warnings: list[str]) -> np.ndarray:
    """Frame times of a file in seconds, from its header; what is doubtful is added to ``warnings``.

    Raises MissingFactError (times_s) where it has none, InputError for times that cannot be.
    """
    fields = {key: image.GetMetaData(key) for key in image.GetMetaDataKeys()}
    if image.GetDimension() == 4:
        count = image.GetSize()[3]
    elif isinstance(image, sitk.Image):
        count = image.GetNumberOfComponentsPerPixel()
    else:
        count = image.GetNumberOfComponents()
    times = _times(path, image, fields, count, warnings)
    refuse_disorder(times, str(path))
    warnings += gaps(times)
    return times


def _times(path: Path, image: Header, fields: dict[str, str], count: int, warnings: list[str]) -> np.ndarray:
    found = _sequence_times(path, fields, warnings)
    if found is None:
        found = _multi_volume_times(fields, warnings)
    if found is None and image_suffix(path) in (".nii", ".nii.gz"):
        found = _nifti_times(image, fields, count, warnings)
    if found is None:
        raise MissingFactError(
            f"{path} holds {count} frames and no times. Give times_s, {count} numbers in seconds.", fact="times_s"
        )
    if found.size != count:
        raise InputError(f"{path} holds {count} frames and {found.size} times; give times_s, {count} numbers.")
    return found


def _sequence_times(path: Path, fields: dict[str, str], warnings: list[str]) -> np.ndarray | None:
    axis = next((axis for axis in range(4) if f"axis {axis} index values" in fields), None)
    if axis is None:
        return None
    try:
        values = np.array([float(part) for part in fields[f"axis {axis} index values"].split()])
    except ValueError:
        return None  # the index is text: frame names, not times
    # From the file itself: ITK before 5.4 keeps the units of the axes to itself.
    units = re.findall(r'"([^"]*)"', header_fields(path, ":").get("units", ""))
    unit = units[axis].strip() if axis < len(units) else ""
    if unit not in _SECONDS:
        warnings.append(f"the frame axis has {f'the unit {unit!r}' if unit else 'no unit'}; taken as seconds")
    return values * _SECONDS.get(unit, 1.0)


def _multi_volume_times(fields: dict[str, str], warnings: list[str]) -> np.ndarray | None:
    written = fields.get("MultiVolume.FrameLabels")
    if not written:
        return None
    try:
        values = np.array([float(part) for part in written.split(",")])
    except ValueError:
        return None
    name = fields.get("MultiVolume.FrameIdentifyingDICOMTagName", "")
    unit = fields.get("MultiVolume.FrameIdentifyingDICOMTagUnits", "").strip().lower()
    if name.lower() in ("flipangle", "echotime", "diffusionbvalue"):
        raise InputError(f"The frames differ in {name}, not in time.")
    if unit not in _SECONDS:
        warnings.append(f"MultiVolume.FrameLabels have {f'the unit {unit!r}' if unit else 'no unit'}; taken as ms")
    return values * _SECONDS.get(unit, 1e-3)


def _nifti_times(image: Header, fields: dict[str, str], count: int, warnings: list[str]) -> np.ndarray | None:
    try:
        code = int(float(fields.get("xyzt_units", "0"))) & _NIFTI_TIME_BITS
        step, start = float(fields.get("pixdim[4]", "0")), float(fields.get("toffset", "0"))
    except ValueError:
        return None
    if code not in _NIFTI_SECONDS or step <= 0 or image.GetDimension() != 4:
        return None
    factor = _NIFTI_SECONDS[code]
    warnings.append(
        f"frames every {step * factor:g} s by NIfTI's pixdim[4]"
        + (", which writers also put there when they do not know: check times_s" if step == 1.0 else "")
    )
    return (start + step * np.arange(count)) * factor
