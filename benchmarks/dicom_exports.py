"""DICOM objects written by the exports and read by others: ``python -m benchmarks dicom_exports``.

One oblique, anisotropic grid as MR slices and as a multi-frame NM object. SEG, map and contours are read by dcmqi and
by this library; printed are the largest distance between where a voxel was written and where it was read (corners of
the grid), the voxels that differ, the largest difference of values, and the time to write.
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from bonequant.io import load, load_masks
from bonequant.io.export import (
    SourceSeries,
    source_series,
    write_derived_series,
    write_dicom_seg,
    write_parametric_map,
    write_rtstruct,
)
from bonequant.phantom import write_nm
from bonequant.volume import Geometry, Volume, image_from_array

TURN = tuple(np.array(sitk.Euler3DTransform((0, 0, 0), 0.31, -0.22, 0.43).GetMatrix()).tolist())
GRID = Geometry((192, 160, 60), (1.7, 2.3, 4.1), (-91.234567, -84.25, -100.125), TURN)


def main(arguments: list[str]) -> None:
    """Print the table; takes no argument."""
    rng = np.random.default_rng(4)
    values = image_from_array(rng.normal(0.1, 0.3, GRID.shape).astype(np.float32), GRID)
    masks = {f"L{n:02d}": _blob(rng) for n in range(1, 13)}
    head = f"{'source':<12}{'object':<12}{'reader':<12}{'places mm':>12}"
    print(f"{head}{'voxels that differ':>20}{'value':>9}{'write s':>9}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for kind, source in _sources(folder).items():
            _masks(kind, source, masks, folder)
            path = folder / f"{kind}-map.dcm"
            start = time.perf_counter()
            write_parametric_map(values, path, source, "ktrans")
            seconds = time.perf_counter() - start
            found = {"bonequant": load(path).image, "dcmqi": _dcmqi("paramap2itkimage", path) / "pmap.nrrd"}
            for reader, image in found.items():
                image = image if isinstance(image, sitk.Image) else sitk.ReadImage(str(image))
                off = np.abs(sitk.GetArrayViewFromImage(image) - sitk.GetArrayViewFromImage(values))
                _row(kind, "map", reader, _places_mm(image), int((off > 0).sum()), float(off.max()), seconds)


def _sources(folder: Path) -> dict[str, SourceSeries]:
    counts = image_from_array(np.ones(GRID.shape, np.float32), GRID)
    slices = write_derived_series(Volume(counts, "MR", ""), folder / "mr")
    frames = write_nm(Volume(counts, "NM", "counts"), folder / "nm.dcm", negative_spacing=True)
    return {"MR slices": source_series(slices), "NM frames": source_series(frames)}


def _blob(rng: np.random.Generator) -> sitk.Image:
    """An ellipsoid with a hole in it, so that contours have keyholes."""
    centre = rng.uniform((10, 30, 30), (50, 130, 160))
    index = np.stack(np.meshgrid(*map(np.arange, GRID.shape), indexing="ij"), axis=-1)
    distance = (((index - centre) / rng.uniform((3, 6, 6), (8, 20, 20))) ** 2).sum(axis=-1)
    return image_from_array((distance < 1) & (distance > 0.1), GRID)


def _masks(kind: str, source: SourceSeries, masks: dict[str, sitk.Image], folder: Path) -> None:
    seg, contours = folder / f"{kind}-seg.dcm", folder / f"{kind}-rt.dcm"
    start = time.perf_counter()
    write_dicom_seg(masks, seg, source, keep_empty_frames=True)
    middle = time.perf_counter()
    write_rtstruct(masks, contours, source)
    end = time.perf_counter()
    read = _dcmqi("segimage2itkimage", seg)
    theirs = {name: sitk.ReadImage(str(read / f"{n}.nrrd")) > 0 for n, name in enumerate(masks, 1)}
    image = Volume(image_from_array(np.zeros(GRID.shape, np.uint8), GRID))
    for what, reader, found, seconds in (
        ("SEG", "bonequant", load_masks(seg), middle - start),
        ("SEG", "dcmqi", theirs, middle - start),
        ("RTSTRUCT", "bonequant", load_masks(contours, like=image), end - middle),
    ):
        differ = sum(
            int((_whole(found[name]) != sitk.GetArrayViewFromImage(mask)).sum()) for name, mask in masks.items()
        )
        _row(kind, what, reader, max(_places_mm(mask) for mask in found.values()), differ, float("nan"), seconds)


def _whole(mask: sitk.Image) -> np.ndarray:
    """On the whole grid, slices put where they lie: dcmqi gives those that hold a segment."""
    first = round((GRID.physical_to_index @ (*mask.GetOrigin(), 1.0))[2])
    whole = np.zeros(GRID.shape, bool)
    whole[first : first + mask.GetSize()[2]] = sitk.GetArrayViewFromImage(mask)
    return whole


def _places_mm(image: sitk.Image) -> float:
    geometry = Geometry.of(image)
    ends = np.array([[x, y, z, 1.0] for x in (0, 1) for y in (0, 1) for z in (0, 1)])
    ends[:, :3] *= np.asarray(geometry.size) - 1
    there = ends @ geometry.index_to_physical.T
    index = there @ GRID.physical_to_index.T
    index[:, :3] = np.rint(index[:, :3])
    return float(np.linalg.norm((there - index @ GRID.index_to_physical.T)[:, :3], axis=1).max())


def _dcmqi(tool: str, path: Path) -> Path:
    import dcmqi

    out = path.with_suffix("")
    out.mkdir(exist_ok=True)
    program = Path(dcmqi.__file__).parent / "bin" / tool
    command = [program, "--inputDICOM", path, "--outputDirectory", out, "--outputType", "nrrd"]
    subprocess.run(list(map(str, command)), check=True, capture_output=True)
    return out


def _row(kind: str, what: str, reader: str, places: float, differ: int, value: float, seconds: float) -> None:
    shown = "" if value != value else f"{value:.3g}"
    print(f"{kind:<12}{what:<12}{reader:<12}{places:>12.2g}{differ:>20d}{shown:>9}{seconds:>9.2f}")
