"""A map of Ktrans, Vp, SUV or the like as a DICOM Parametric Map (PS3.3 A.75) of float32 or float64 voxels.

The voxels are stored as they are; the real world value mapping is the identity and says, by code, which quantity they
hold and in which unit. NaN stays NaN: a voxel without a value.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from pydicom.dataset import Dataset

from bonequant.errors import InputError
from bonequant.io.export.codes import Quantity, quantity, site
from bonequant.io.export.dependency import highdicom, quiet
from bonequant.io.export.dicom_object import (
    CREATOR,
    LABEL,
    dicom_file,
    equipment,
    mark,
    new_uid,
    research_text,
    save,
    sequence_code,
)
from bonequant.io.export.grid import on_grid
from bonequant.io.export.source import SourceSeries
from bonequant.io.export.stand_ins import point_to_sources, stand_ins
from bonequant.volume import Volume


def write_parametric_map(
    volume: Volume | sitk.Image,
    path: str | os.PathLike[str],
    source: SourceSeries,
    what: str | Quantity,
    *,
    description: str = "",
    anatomy: str = "bone",
    identified: bool = False,
    double: bool = False,
    series_number: int = 910,
    overwrite: bool = False,
) -> Path:
    """Write one map and return its path.

    Args:
        volume: the map on the grid of the series (cropped, padded or flipped is allowed; NaN where it does not reach).
        source: from :func:`bonequant.io.export.source_series`.
        what: "ktrans", "vp", "ve", "suv", "adc", ... (see ``codes.quantity``), or a Quantity.
        description: series description; the quantity's name where "".
        anatomy: what the frames show, a site of ``codes.site``: "bone", "spine", "liver", ...
        identified: as for :func:`bonequant.io.export.write_dicom_seg`.
        double: store float64 in place of float32.

    Raises:
        GeometryError: a map on another grid. InputError: no finite voxel, an unknown quantity, a file that exists.
        MissingDependencyError: highdicom is not installed.
    """
    hd = highdicom("Writing a DICOM parametric map")
    meant = quantity(what) if isinstance(what, str) else what
    image = volume.image if isinstance(volume, Volume) else volume
    name = meant.concept[2]
    wide = sitk.Cast(image, sitk.sitkFloat64 if double else sitk.sitkFloat32)
    pixels = on_grid(wide, source.geometry, f"The map of {name}", outside=np.nan)
    finite = pixels[np.isfinite(pixels)]
    if not finite.size:
        raise InputError(f"The map of {name} holds no finite voxel; nothing was written.")
    low, high = float(finite.min()), float(finite.max())
    width = max(high - low, float(np.finfo(np.float32).tiny)) if high > low else 1.0
    mapping = hd.pm.RealWorldValueMapping(
        lut_label=name[:16],
        lut_explanation=research_text(name),
        unit=hd.sr.CodedConcept(*meant.unit),
        value_range=(low, high),
        slope=1.0,
        intercept=0.0,
        quantity_definition=hd.sr.CodedConcept(*meant.concept),
    )
    stands = stand_ins(source, identified)
    with quiet():
        ds = hd.pm.ParametricMap(
            source_images=stands,
            pixel_array=pixels,
            series_instance_uid=new_uid(),
            series_number=series_number,
            sop_instance_uid=new_uid(),
            instance_number=1,
            contains_recognizable_visual_features=False,
            real_world_value_mappings=[mapping],
            window_center=(low + high) / 2,
            window_width=width,
            content_creator_name=CREATOR,
            content_label=LABEL,
            content_description=research_text(description or name),
            **equipment(),
        )
    _in_grid_order(ds, source)
    ds.SharedFunctionalGroupsSequence[0].FrameAnatomySequence = [_anatomy(anatomy)]
    point_to_sources(ds, stands, source.planes)
    mark(ds, description or f"BoneQuant {name}", identified)
    with dicom_file(path, overwrite) as temporary:
        save(ds, temporary)
    return Path(path)


def _in_grid_order(ds: Dataset, source: SourceSeries) -> None:
    """Frames from the first slice of the grid to the last: some readers take their order for that of the slices."""
    frames = list(ds.PerFrameFunctionalGroupsSequence)
    positions = np.array([frame.PlanePositionSequence[0].ImagePositionPatient for frame in frames], float)
    order = np.argsort(positions @ np.reshape(source.geometry.direction, (3, 3))[:, 2])
    indices = sorted(np.ravel(frame.FrameContentSequence[0].DimensionIndexValues).tolist() for frame in frames)
    for place, index in zip(order.tolist(), indices, strict=True):
        frames[place].FrameContentSequence[0].DimensionIndexValues = index
    ds.PerFrameFunctionalGroupsSequence = [frames[place] for place in order.tolist()]
    name, dtype = ("FloatPixelData", "<f4") if "FloatPixelData" in ds else ("DoubleFloatPixelData", "<f8")
    pixels = np.frombuffer(ds[name].value, dtype).reshape(len(frames), -1)[order]
    ds[name].value = pixels.tobytes()


def _anatomy(name: str) -> Dataset:
    """Frame anatomy (PS3.3 C.7.6.16.2.8), which readers of enhanced objects expect."""
    place, side = site(name)
    item = Dataset()
    item.AnatomicRegionSequence = [sequence_code(place)]
    item.FrameLaterality = "U" if side is None else side[2][0]
    return item
