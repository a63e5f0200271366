"""Where a result came from: hashes of the inputs, settings, versions. No patient identifier, no absolute path."""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from bonequant.volume.geometry import Geometry

_PACKAGES = ("numpy", "scipy", "SimpleITK", "pydicom", "highdicom", "pyradiomics", "scikit-learn", "slicer-core")


@dataclass(frozen=True)
class Provenance:
    """What stands at the end of every result and report."""

    job: str
    inputs: dict[str, str]  # role -> sha256
    settings: dict[str, Any]
    versions: dict[str, str] = field(default_factory=lambda: versions())


def hash_files(paths: Iterable[str | Path]) -> str:
    """SHA-256 over the contents of the files, independent of their order and names."""
    digests = sorted(_hash_file(Path(path)) for path in paths)
    if len(digests) == 1:
        return digests[0]
    return hashlib.sha256("".join(digests).encode()).hexdigest()


def hash_image(image: sitk.Image) -> str:
    """SHA-256 over geometry, pixel type and voxels."""
    digest = hashlib.sha256(repr((Geometry.of(image), image.GetPixelIDTypeAsString())).encode())
    digest.update(np.ascontiguousarray(sitk.GetArrayViewFromImage(image)).data)
    return digest.hexdigest()


def versions() -> dict[str, str]:
    """Versions of BoneQuant, Python and the packages that numbers depend on; absent ones are left out."""
    import bonequant

    found = {"bonequant": bonequant.__version__, "python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _hash_file(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
