"""NRRD, NIfTI and MetaImage: reading and writing volumes.

A plain image has neither modality nor unit unless the caller gives them or the file's own fields hold them: what
:func:`write_volume` stores in NRRD and MetaImage under ``BoneQuant_...``. NIfTI has no room for such fields. What
identifies patient, study and series is never written.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from bonequant.errors import GeometryError, InputError
from bonequant.io.files import written_whole
from bonequant.io.itk_files import read_itk
from bonequant.io.overrides import Overrides
from bonequant.io.plain_geometry import plain_grid
from bonequant.io.series import image_suffix, stem
from bonequant.provenance import hash_files
from bonequant.volume import Volume, acquisition_from_json, acquisition_to_json, image_from_array
from bonequant.volume.geometry import Geometry
from bonequant.volume.types import MODALITIES

FIELD = "BoneQuant_"
_WRITABLE = (".nrrd", ".nii", ".nii.gz", ".mha")


def read_image_file(path: Path, overrides: Overrides) -> Volume:
    """A 3-D scalar image. Raises InputError for what is 4-D, has several values per voxel, or holds NaN."""
    image = read_image(path, overrides)
    fields = {key[len(FIELD) :]: image.GetMetaData(key) for key in image.GetMetaDataKeys() if key.startswith(FIELD)}
    for key in image.GetMetaDataKeys():
        image.EraseMetaData(key)
    array = sitk.GetArrayViewFromImage(image)
    cleaned = finite(array, overrides.replace_nan, str(path))
    if cleaned is not array:
        image = image_from_array(cleaned, Geometry.of(image))
    modality = overrides.modality or fields.get("modality", "OT")
    unit = fields.get("unit", "") if overrides.unit is None else overrides.unit
    acquisition = acquisition_from_json(fields.get("acquisition", "{}"), str(path))
    return Volume(
        image=image,
        modality=modality if modality in MODALITIES else "OT",
        unit=unit,
        acquisition=overrides.apply_facts(acquisition),
        name=fields.get("name") or stem(path),
        source=str(path),
        sha256=hash_files([path]),
        warnings=overrides.contradictions(acquisition),
    )


def read_image(path: Path, overrides: Overrides | None = None) -> sitk.Image:
    """One 3-D scalar SimpleITK image, a 2-D one as a single slice, on the grid that file and caller say.

    Raises InputError for damage, GeometryError for other dimensions and for a grid that nobody states.
    """
    image = read_itk(path)
    if image.GetDimension() == 4 and image.GetSize()[3] == 1:
        image = image[:, :, :, 0]
    if image.GetDimension() > 3:
        raise GeometryError(
            f"{path} has {image.GetDimension()} dimensions {image.GetSize()} where a 3-D volume is due. "
            "Read it with load_dynamic(), or save one frame."
        )
    if image.GetNumberOfComponentsPerPixel() != 1:
        raise GeometryError(
            f"{path} has {image.GetNumberOfComponentsPerPixel()} values per voxel where one is due: a colour image, a "
            "vector field, or a dynamic series (load_dynamic())?"
        )
    if "complex" in image.GetPixelIDTypeAsString():
        raise InputError(f"{path} holds complex numbers; save its magnitude.")
    volume = sitk.JoinSeries(image) if image.GetDimension() == 2 else image
    return plain_grid(path, image, Geometry.of(volume), overrides or Overrides()).apply_to(volume)


def finite(array: np.ndarray, replace_nan: float | None, source: str) -> np.ndarray:
    """``array`` itself where all is finite. Raises InputError with the count of NaN and infinite voxels otherwise."""
    if array.dtype.kind != "f":
        return array
    bad = ~np.isfinite(array)
    count = int(np.count_nonzero(bad))
    if count == 0:
        return array
    if replace_nan is None:
        raise InputError(
            f"{source} holds {count} voxels that are NaN or infinite ({100 * count / array.size:.3g} %). "
            "Mend the file, or give replace_nan=0 (or another value) to set them."
        )
    return np.where(bad, array.dtype.type(replace_nan), array)


def write_volume(volume: Volume, path: str | Path) -> Path:
    """Write .nrrd, .mha (with unit and facts) or .nii.gz, .nii (voxels and grid only); whole or not at all."""
    path = Path(path)
    suffix = image_suffix(path)
    if suffix not in _WRITABLE:
        raise InputError(f"{path.name}: a volume is written as one of {', '.join(_WRITABLE)}.")
    image = sitk.Image(volume.image)
    for key in image.GetMetaDataKeys():
        image.EraseMetaData(key)
    if suffix in (".nrrd", ".mha"):
        fields = {"modality": volume.modality, "unit": volume.unit, "name": volume.name}
        for name, written in {**fields, "acquisition": acquisition_to_json(volume.acquisition)}.items():
            image.SetMetaData(FIELD + name, written)
    with written_whole(path, suffix) as temporary:
        sitk.WriteImage(image, str(temporary), useCompression=True)
    return path
