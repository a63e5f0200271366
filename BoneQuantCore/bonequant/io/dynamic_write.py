"""Writing a dynamic series as ``.seq.nrrd``: a NRRD sequence that every Slicer 5 opens, frames along the first axis.

Times are ``axis 0 index values`` in seconds at full precision; unit, durations and facts are ``BoneQuant_...`` fields.
What identifies patient, study and series is never written.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np

from bonequant.errors import InputError
from bonequant.io.files import written_whole
from bonequant.io.image_files import FIELD
from bonequant.progress import Progress, no_progress
from bonequant.volume import DynamicSeries, acquisition_to_json

_SUFFIX = ".seq.nrrd"


def write_dynamic(series: DynamicSeries, path: str | Path, progress: Progress | None = None) -> Path:
    """Write ``series`` (float32, gzip), whole or not at all. Raises InputError for a path that is no .seq.nrrd."""
    path = Path(path)
    if not path.name.lower().endswith(_SUFFIX):
        raise InputError(f"{path.name}: a dynamic series is written as {_SUFFIX}.")
    report = progress or no_progress
    with written_whole(path, _SUFFIX) as temporary, temporary.open("wb") as stream:
        stream.write(_header(series).encode("utf-8"))
        # No file name and no date in the gzip header: the same series gives the same bytes.
        with gzip.GzipFile(filename="", mode="wb", compresslevel=1, fileobj=stream, mtime=0) as packed:
            _write_voxels(series, packed, report)
    report(1.0, f"Wrote {path.name}")
    return path


def _header(series: DynamicSeries) -> str:
    geometry = series.geometry
    axes = (np.reshape(geometry.direction, (3, 3)) * geometry.spacing).T
    count = len(series.times_s)
    fields = {
        "modality": series.modality,
        "unit": series.unit,
        "name": series.name,
        "acquisition": acquisition_to_json(series.acquisition),
    }
    if series.durations_s is not None:
        fields["durations_s"] = json.dumps(np.asarray(series.durations_s, dtype=float).tolist())
    lines = [
        "NRRD0005",
        "type: float",
        "dimension: 4",
        "space: left-posterior-superior",
        f"sizes: {count} {' '.join(map(str, geometry.size))}",
        f"space directions: none {' '.join(_vector(axis) for axis in axes)}",
        "kinds: list domain domain domain",
        'labels: "time" "" "" ""',
        'units: "s" "" "" ""',
        "endian: little",
        "encoding: gzip",
        f"space origin: {_vector(geometry.origin)}",
        "DataNodeClassName:=vtkMRMLScalarVolumeNode",
        "axis 0 index type:=numeric",
        f"axis 0 index values:={' '.join(repr(time) for time in series.times_s.tolist())}",
        *(f"{FIELD}{key}:={_one_line(value)}" for key, value in fields.items()),
    ]
    return "\n".join(lines) + "\n\n"


def _write_voxels(series: DynamicSeries, stream: gzip.GzipFile, report: Progress) -> None:
    slices = series.geometry.size[2]
    for k in range(slices):
        report(k / slices, f"Writing slice {k + 1} of {slices}")
        block = np.moveaxis(series.frames[:, k], 0, -1)  # (y, x, T): frames vary fastest in the file
        stream.write(np.ascontiguousarray(block, dtype="<f4").tobytes())


def _vector(values: object) -> str:
    return f"({','.join(repr(float(value)) for value in np.asarray(values))})"


def _one_line(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n")
