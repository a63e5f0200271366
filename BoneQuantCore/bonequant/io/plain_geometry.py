"""The grid of a plain image (NRRD, NIfTI, MetaImage): what its header says, and what the caller says in its place.

Where a header is silent ITK puts 1 mm, the identity and an origin of 0, which look like any other grid. Here that is an
error that names the fields and the keywords that supply them.
"""

from __future__ import annotations

from pathlib import Path

import SimpleITK as sitk

from bonequant.errors import GeometryError
from bonequant.io.dicom_stack import directions, make_geometry, pixel_spacing
from bonequant.io.overrides import Overrides
from bonequant.io.series import image_suffix
from bonequant.volume.geometry import Geometry

_HEADER = 1 << 16  # bytes; the fields that count stand among the first
_SPACING = ("pixel_spacing_mm", "spacing_between_slices_mm")
_PLACE = ("image_orientation_patient", "image_position_patient")
_META_AXES = {"transformmatrix", "orientation", "rotation"}
_NRRD_SPACES = ("left-posterior-superior", "lps", "right-anterior-superior", "ras", "left-anterior-superior", "las")


def plain_grid(
    path: Path, image: sitk.Image | sitk.ImageFileReader, geometry: Geometry, overrides: Overrides
) -> Geometry:
    """``geometry``, as ITK read it from ``image`` (or its header alone), with what the caller says in its place.

    Raises GeometryError where the header of ``path`` is silent and the caller as well, and for impossible values.
    """
    silent = _silent(path, image)
    lacking = [name for names in silent.values() for name in names if getattr(overrides, name) is None]
    if lacking:
        raise GeometryError(
            f"{path} does not say {', '.join(silent)}. Save it again from a program that does, or read it with "
            f"{', '.join(f'{name}=' for name in lacking)} given."
        )
    if not overrides.typed_geometry:
        return geometry
    label = str(path)
    x, y, z = geometry.spacing
    down, across = pixel_spacing(overrides.pixel_spacing_mm or (y, x), label)
    between = z if overrides.spacing_between_slices_mm is None else abs(overrides.spacing_between_slices_mm)
    if between == 0:
        raise GeometryError(f"{label}: spacing_between_slices_mm is 0.")
    origin = overrides.image_position_patient or geometry.origin
    if overrides.image_orientation_patient is None:
        return Geometry(geometry.size, (across, down, between), (origin[0], origin[1], origin[2]), geometry.direction)
    axes = directions(overrides.image_orientation_patient, label)
    return make_geometry(geometry.size, (across, down, between), origin, *axes)


def _silent(path: Path, image: sitk.Image | sitk.ImageFileReader) -> dict[str, tuple[str, ...]]:
    """What the header leaves out, in words that name its fields, with the keywords that supply it."""
    if image.GetDimension() == 2:  # a picture of a slice has no place in the patient; how thick it is must be said
        return {"how far its slices lie apart": _SPACING[1:]}
    suffix = image_suffix(path)
    if suffix in (".nii", ".nii.gz"):
        codes = [image.GetMetaData(key) if image.HasMetaDataKey(key) else "0" for key in ("qform_code", "sform_code")]
        return {"where it lies (qform_code and sform_code are 0)": _PLACE} if codes == ["0", "0"] else {}
    if suffix in (".nrrd", ".nhdr"):
        fields = header_fields(path, ":")
        vectors = "space directions" in fields
        in_patient = fields.get("space", "").removesuffix("-time") in _NRRD_SPACES
        silent = {
            "its spacing (NRRD field space directions or spacings)": not (vectors or "spacings" in fields),
            "its orientation (NRRD fields space and space directions)": not (vectors and in_patient),
            "its position (NRRD field space origin)": "space origin" not in fields,
        }
    else:
        names = set(header_fields(path, "="))
        silent = {
            "its spacing (MetaImage field ElementSpacing)": not names & {"elementspacing", "elementsize"},
            "its orientation (MetaImage field TransformMatrix)": not names & _META_AXES,
            "its position (MetaImage field Offset)": not names & {"offset", "position", "origin"},
        }
    ways_out = (_SPACING, _PLACE[:1], _PLACE[1:])
    return {what: way_out for (what, absent), way_out in zip(silent.items(), ways_out, strict=True) if absent}


def header_fields(path: Path, separator: str) -> dict[str, str]:
    """Fields of a text header in lower case, up to the blank line (NRRD) or the name of the data (MetaImage)."""
    with path.open("rb") as stream:
        text = stream.read(_HEADER).decode("latin-1").replace("\r\n", "\n").split("\n\n")[0]
    fields = {}
    for line in text.split("\n"):
        name, found, value = line.partition(separator)
        name = name.strip().lower()
        if found:
            fields[name] = value.strip().lower()
        if name == "elementdatafile":
            break
    return fields
