"""Volume, DynamicSeries and Curve: what every reader returns and every job takes."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import SimpleITK as sitk

from bonequant.errors import GeometryError, InputError
from bonequant.volume.acquisition import Acquisition
from bonequant.volume.geometry import Geometry

MODALITIES = ("CT", "MR", "PT", "NM", "OT")


@dataclass(frozen=True, eq=False)
class Volume:
    """A 3-D scalar image with its meaning.

    Attributes:
        image: SimpleITK image, LPS, mm.
        modality: "CT", "MR", "PT" (positron), "NM" (SPECT) or "OT".
        unit: unit of the voxels: "HU", "Bq/mL", "counts", "g/mL" (SUV), "" where there is none.
        acquisition: facts from the file, or typed.
        name: short label for reports; holds no patient identifier.
        source: path or node the voxels came from.
        sha256: hash of the source file or files, "" for one made in code.
        warnings: what the reader noticed.
    """

    image: sitk.Image
    modality: str = "OT"
    unit: str = ""
    acquisition: Acquisition = field(default_factory=Acquisition)
    name: str = ""
    source: str = ""
    sha256: str = ""
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.image.GetDimension() != 3:
            label = self.source or self.name or "The image"
            raise GeometryError(f"{label} has {self.image.GetDimension()} dimensions where 3 are due: is it dynamic?")
        if self.image.GetNumberOfComponentsPerPixel() != 1:
            raise InputError(f"{self.source or self.name or 'The image'} has several values per voxel; one is due.")

    @cached_property
    def array(self) -> np.ndarray:
        """Voxels as a read-only view, shape (z, y, x), in ``unit``; it keeps the image alive on its own."""
        return np.asarray(_ArrayOfImage(self.image))

    @property
    def geometry(self) -> Geometry:
        return Geometry.of(self.image)

    @property
    def voxel_volume_ml(self) -> float:
        return self.geometry.voxel_volume_ml

    def with_array(self, array: np.ndarray, *, unit: str | None = None, name: str | None = None) -> Volume:
        """The same grid and facts with other voxels (z, y, x), stored as float32."""
        image = image_from_array(np.asarray(array, dtype=np.float32), self.geometry)
        return self.replace(
            image=image, unit=self.unit if unit is None else unit, name=self.name if name is None else name
        )

    def replace(self, **changes: Any) -> Volume:
        return dataclasses.replace(self, **changes)


class _ArrayOfImage:
    """What NumPy holds on to as the view's base: SimpleITK's own view does not keep its image, and would dangle."""

    def __init__(self, image: sitk.Image) -> None:
        self.image = image
        self.__array_interface__ = sitk.GetArrayViewFromImage(image).__array_interface__


@dataclass(frozen=True, eq=False)
class DynamicSeries:
    """Frames over time on one grid.

    Attributes:
        frames: float32 array (T, Z, Y, X) in ``unit``.
        times_s: float64 array (T,), strictly increasing; mid-frame times, seconds from any origin.
        geometry: grid of every frame.
        durations_s: frame durations (T,) where known.
    """

    frames: np.ndarray
    times_s: np.ndarray
    geometry: Geometry
    modality: str = "OT"
    unit: str = ""
    acquisition: Acquisition = field(default_factory=Acquisition)
    durations_s: np.ndarray | None = None
    name: str = ""
    source: str = ""
    sha256: str = ""
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        frames = np.asarray(self.frames)
        times = np.asarray(self.times_s, dtype=np.float64)
        label = self.source or self.name or "The dynamic series"
        if frames.ndim != 4 or frames.shape[1:] != self.geometry.shape:
            raise GeometryError(f"{label}: frames of shape {frames.shape} do not fit a grid of {self.geometry.shape}.")
        if times.shape != (frames.shape[0],):
            raise InputError(f"{label} has {frames.shape[0]} frames but {times.size} times; give one time per frame.")
        if not np.all(np.isfinite(times)) or np.any(np.diff(times) <= 0):
            raise InputError(f"{label}: frame times must be finite and strictly increasing; give them with times_s.")
        if self.durations_s is not None:
            durations = np.asarray(self.durations_s, dtype=np.float64)
            if durations.shape != times.shape or not np.all(durations > 0):
                raise InputError(f"{label}: durations_s must hold {times.size} times above zero, one per frame.")
            object.__setattr__(self, "durations_s", durations)
        object.__setattr__(self, "frames", frames if frames.dtype == np.float32 else frames.astype(np.float32))
        object.__setattr__(self, "times_s", times)

    def frame(self, index: int) -> Volume:
        """One frame as a Volume."""
        return Volume(
            image=image_from_array(self.frames[index], self.geometry),
            modality=self.modality,
            unit=self.unit,
            acquisition=self.acquisition,
            name=f"{self.name} frame {index}".strip(),
            source=self.source,
            sha256=self.sha256,
        )

    def replace(self, **changes: Any) -> DynamicSeries:
        return dataclasses.replace(self, **changes)


@dataclass(frozen=True, eq=False)
class Curve:
    """Values over time: ``times_s`` (T,) strictly increasing seconds, ``values`` (T,) in ``unit``."""

    times_s: np.ndarray
    values: np.ndarray
    unit: str = ""
    name: str = ""

    def __post_init__(self) -> None:
        times = np.asarray(self.times_s, dtype=np.float64)
        values = np.asarray(self.values, dtype=np.float64)
        if times.ndim != 1 or times.shape != values.shape:
            raise InputError(f"Curve {self.name!r}: {times.shape} times for {values.shape} values; give one per time.")
        if not np.all(np.isfinite(times)) or np.any(np.diff(times) <= 0):
            raise InputError(f"Curve {self.name!r}: times must be finite and strictly increasing.")
        object.__setattr__(self, "times_s", times)
        object.__setattr__(self, "values", values)


def image_from_array(array: np.ndarray, geometry: Geometry) -> sitk.Image:
    """SimpleITK image of ``array`` (z, y, x) on ``geometry``; booleans become uint8."""
    array = np.asarray(array)
    if array.shape != geometry.shape:
        raise GeometryError(f"An array of shape {array.shape} does not fit a grid of {geometry.shape} (z, y, x).")
    if array.dtype == bool:
        array = array.astype(np.uint8)
    return geometry.apply_to(sitk.GetImageFromArray(np.ascontiguousarray(array)))
