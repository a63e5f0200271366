"""DICOM written here and read by GDCM (SimpleITK) and by this library: ``python -m benchmarks dicom_round_trip``.

An oblique grid as CT series, NM reconstruction (both signs of SpacingBetweenSlices) and PET series: the largest
distance between where a voxel was written and where it was read, over the grid's corners and centre, and the largest
difference of values in units of the stored step. GDCM hands out the slices of a negative spacing in reverse order.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from bonequant.io import load
from bonequant.phantom import write_ct_series, write_nm, write_pt_series
from bonequant.volume import Geometry, Volume, image_from_array

TURN = tuple(np.array(sitk.Euler3DTransform((0, 0, 0), 0.1, -0.2, 0.3).GetMatrix()).tolist())
GRID = Geometry((48, 40, 30), (4.42, 4.42, 4.42), (-91.5, -84.25, -100.125), TURN)


def main(arguments: list[str]) -> None:
    """Print the table; takes no argument."""
    print(f"{'object':<26}{'reader':<12}{'places mm':>12}{'values, steps':>15}")
    with tempfile.TemporaryDirectory() as folder:
        report("CT series", "CT", "HU", lambda volume: write_ct_series(volume, Path(folder) / "ct"))
        for negative in (False, True):
            name = f"NM, spacing {'negative' if negative else 'positive'}"
            path = Path(folder) / f"nm{negative:d}" / "recon.dcm"
            report(name, "NM", "counts", lambda v, p=path, n=negative: [write_nm(v, p, negative_spacing=n)])  # type: ignore[misc]
        report("PET series", "PT", "Bq/mL", lambda volume: write_pt_series(volume, Path(folder) / "pt"))


def report(name: str, modality: str, unit: str, write: Callable[[Volume], list[Path]]) -> None:
    values = np.random.default_rng(1).integers(0, 4000, GRID.shape).astype(np.float32)
    written = Volume(image_from_array(values, GRID), modality=modality, unit=unit)
    files = write(written)
    step = 1.0 if unit != "Bq/mL" else float(values.max()) / 32767.0
    by_gdcm = sitk.ReadImage([str(file) for file in files] if len(files) > 1 else str(files[0]))
    here = load(files[0] if len(files) == 1 else files[0].parent).image
    for reader, image in (("GDCM", by_gdcm), ("BoneQuant", here)):
        place, value = differences(image, values)
        print(f"{name:<26}{reader:<12}{place:>12.1e}{value / step:>15.2g}")


def differences(image: sitk.Image, values: np.ndarray) -> tuple[float, float]:
    """Largest distance (mm) of corners and centre from where they were written, and largest difference of values."""
    geometry, read = Geometry.of(image), sitk.GetArrayFromImage(image)
    last = np.array(GRID.size) - 1
    index = np.array([[x, y, z] for x in (0, 0.5, 1) for y in (0, 0.5, 1) for z in (0, 0.5, 1)]) * last
    there = index.copy()
    if np.linalg.norm(np.array(geometry.origin) - GRID.origin) > GRID.spacing[2]:  # slices the other way round
        there[:, 2] = last[2] - there[:, 2]
        read = read[::-1]
    a, b = ((at @ g.index_to_physical[:3, :3].T) + g.origin for at, g in ((index, GRID), (there, geometry)))
    return float(np.linalg.norm(a - b, axis=1).max()), float(np.abs(read - values).max())
