"""A CT volume as a series of CT Image Storage objects (PS3.3 A.3), one file per slice."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bonequant.errors import InputError
from bonequant.phantom.dicom_common import decimal, image_pixels, new_object, plane, position, save
from bonequant.volume import Volume

CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
_INTERCEPT = -1024


def write_ct_series(volume: Volume, folder: str | Path, *, series: str = "CT", kvp: float = 120.0) -> list[Path]:
    """Write ``volume`` (HU) as slices into ``folder``; returns the files from the first slice to the last.

    Patient, study and times come from ``volume.acquisition``; ``series`` names the series and tells several apart.
    Raises InputError where the volume is not in HU or leaves -1024 .. 64511 HU, GeometryError for a left-handed grid.
    """
    if volume.unit != "HU":
        raise InputError(f"A CT is written in HU; {volume.name or 'this volume'} is in {volume.unit or 'no unit'}.")
    array = volume.array
    low, high = float(array.min()), float(array.max())
    if not (low >= _INTERCEPT and high <= 65535 + _INTERCEPT):
        raise InputError(f"{volume.name or 'The CT'} spans {low:g} to {high:g} HU; -1024 to 64511 can be written.")
    geometry = volume.geometry
    orientation, spacing, normal = plane(geometry)
    files = []
    for k, hu in enumerate(array):
        ds = new_object(volume, CT_IMAGE, "CT", series, 2, f"slice {k}")
        ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
        ds.InstanceNumber = k + 1
        ds.AcquisitionNumber = 1
        ds.KVP = decimal(kvp)
        ds.ConvolutionKernel = "STANDARD"
        ds.RotationDirection = "CW"
        ds.BodyPartExamined = "ABDOMEN"
        ds.ImageOrientationPatient, ds.PixelSpacing = orientation, spacing
        ds.ImagePositionPatient = position(geometry, k)
        ds.SliceThickness = decimal(geometry.spacing[2])
        ds.SliceLocation = decimal(round(float(np.dot(normal, [float(v) for v in ds.ImagePositionPatient])), 9))
        ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = str(_INTERCEPT), "1", "HU"
        ds.WindowCenter, ds.WindowWidth = "50", "400"
        image_pixels(ds, (np.rint(hu) - _INTERCEPT).astype(np.uint16))
        files.append(save(ds, Path(folder) / f"ct_{k + 1:04d}.dcm"))
    return files
