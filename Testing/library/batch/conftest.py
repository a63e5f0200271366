"""A cohort of tiny patients: an image of 12 x 12 x 12 voxels and a drawn region each, run by the real marrow job."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.io import write_volume
from bonequant.volume import Volume

SETTINGS = {"quantity": "native"}


def write_tiny(folder: Path, seed: int, *, voxels: int = 12) -> Path:
    """``spect.nrrd`` and ``masks.nrrd`` in a new folder."""
    folder.mkdir(parents=True)
    values = np.random.default_rng(seed).gamma(4.0, 25.0, (voxels,) * 3).astype(np.float32)
    image = sitk.GetImageFromArray(values)
    image.SetSpacing((4.0, 4.0, 4.0))
    write_volume(Volume(image, modality="NM", unit="counts"), folder / "spect.nrrd")
    region = np.zeros(values.shape, np.uint8)
    region[3:9, 3:9, 3:9] = 1
    mask = sitk.GetImageFromArray(region)
    mask.CopyInformation(image)
    sitk.WriteImage(mask, str(folder / "masks.nrrd"))
    return folder


@pytest.fixture
def tiny_cohort(tmp_path: Path) -> Callable[[int], Path]:
    """Write the data of ``count`` patients and the manifest of them; returns the manifest's path."""

    def write(count: int) -> Path:
        lines = ["patient,spect,masks,label.group"]
        for number in range(1, count + 1):
            write_tiny(tmp_path / "data" / f"P{number:03d}", number)
            group = "case" if number % 2 else "control"
            lines.append(f"P{number:03d},data/P{number:03d}/spect.nrrd,data/P{number:03d}/masks.nrrd,{group}")
        manifest = tmp_path / "manifest.csv"
        manifest.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return manifest

    return write
