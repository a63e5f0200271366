"""What the headers of a series say about voxels that another reader (3D Slicer's DICOM import, say) has loaded."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bonequant.errors import InputError
from bonequant.io.dicom_facts import acquisition_of
from bonequant.io.dicom_header import number, read_header, reader, text
from bonequant.io.dicom_values import value_maps


@reader
def read_facts(first: str | os.PathLike[str], others: Sequence[str | os.PathLike[str]] = ()) -> dict[str, Any]:
    """modality, unit, acquisition and warnings of one series, as keywords of :class:`bonequant.volume.Volume`.

    The unit is that of the values after rescale slope and intercept, which every reader applies; "" where the file's
    rescaled unit is a multiple of one of ours (kBq/mL), because the loaded voxels were not multiplied.

    Args:
        first, others: the files of the series; only headers are read.

    Raises InputError for a file that is no DICOM image.
    """
    headers = []
    for path in (first, *others):
        header = read_header(Path(path))
        if header is None:
            raise InputError(f"{path} is no readable DICOM file.")
        headers.append(header)
    modality = text(headers[0], "Modality") or "OT"
    acquisition, warnings = acquisition_of(headers, modality)
    rescale = value_maps(headers[0], modality)[0]
    plain = rescale.slope == (number(headers[0], "RescaleSlope") or 1.0)
    unit = rescale.unit if plain else ""
    return {"modality": modality, "unit": unit, "acquisition": acquisition, "warnings": tuple(warnings)}
