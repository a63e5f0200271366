"""From paths to the inputs of the job: the same reading for the command line, a script and a cohort."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from bonequant.errors import InputError
from bonequant.io import load, load_dynamic, load_masks, scan
from bonequant.kinetics import file_input
from bonequant.progress import Progress, part_of
from bonequant.studies.dce_perfusion.inputs import DceInputs
from bonequant.volume import Curve, Volume

AUTOMATIC, POPULATION = "auto", "population:"


def read_inputs(
    series: str | Path,
    masks: Sequence[str | Path] = (),
    *,
    t1_series: Sequence[str | Path] = (),
    t1_map: str | Path | None = None,
    b1_map: str | Path | None = None,
    aif: str | Path = AUTOMATIC,
    times_s: Sequence[float] | np.ndarray | None = None,
    which: str | int | Sequence[str | int] | None = None,
    facts: Mapping[str, Any] | None = None,
    name: str = "baseline",
    progress: Progress | None = None,
) -> DceInputs:
    """Read one study.

    Args:
        series: dynamic MR or CT: a file, or a folder.
        masks: regions: RTSTRUCT, DICOM SEG, .seg.nrrd, label images, folders of masks.
        t1_series: volumes of several flip angles: files, or folders of one or several series.
        aif: "auto" or "population:NAME" (see :func:`input_setting`), the path of a curve, or the name of a mask.
        times_s: frame times in place of the file's.
        which: the series, where ``series`` holds several dynamic ones.
        facts: what the file does not say: keywords of :func:`bonequant.io.load_dynamic`.

    Raises:
        InputError: as the readers; a region given twice, or an ``aif`` that is neither a file nor a mask.
    """
    dynamic = load_dynamic(series, times_s=times_s, series=which, progress=part_of(progress, 0.0, 0.8), **(facts or {}))
    like = dynamic.frame(0)
    found: dict[str, sitk.Image] = {}
    for path in masks:
        read = load_masks(path, like)
        twice = sorted(set(read) & set(found))
        if twice:
            raise InputError(f"{path}: {', '.join(twice)} was given by another mask already.")
        found |= read
    curve, region = _input(aif, found)
    volumes = [volume for path in t1_series for volume in _volumes(Path(path), part_of(progress, 0.8, 1.0))]
    return DceInputs(
        series=dynamic,
        t1_volumes=tuple(volumes),
        t1_map=None if t1_map is None else load(t1_map, replace_nan=float("nan")),  # as this job writes it
        b1_map=None if b1_map is None else load(b1_map, replace_nan=float("nan")),
        masks={key: mask for key, mask in found.items() if mask is not region},
        aif_curve=curve,
        aif_region=region,
        name=name,
    )


def input_setting(aif: str | Path) -> str | None:
    """The value of ``DceSettings.input`` that ``aif`` asks for; None where it names a file or a mask."""
    text = str(aif)
    if text == AUTOMATIC:
        return "automatic"
    return text.removeprefix(POPULATION) if text.startswith(POPULATION) else None


def _input(aif: str | Path, masks: Mapping[str, sitk.Image]) -> tuple[Curve | None, sitk.Image | None]:
    if input_setting(aif) is not None:
        return None, None
    if str(aif) in masks:
        return None, masks[str(aif)]
    if Path(aif).is_file():
        return file_input(aif, unit=""), None  # in what is fitted: mM, HU or relative
    known = f"masks: {', '.join(masks)}" if masks else "no mask was given"
    raise InputError(
        f"The input {str(aif)!r} is neither auto, population:NAME, a file, nor the name of a mask ({known})."
    )


def _volumes(path: Path, progress: Progress) -> list[Volume]:
    """Every volume at ``path``: a folder may hold one series per flip angle."""
    if path.is_file():
        return [load(path)]
    found = [series for series in scan(path) if series.kind in ("slices", "multi-frame", "image file")]
    if not found:
        raise InputError(f"{path} holds no volumes of several flip angles.")
    volumes = []
    for i, series in enumerate(found):
        progress(i / len(found), f"Reading T1 volume {i + 1} of {len(found)}")
        if series.kind == "image file":
            volumes.append(load(series.files[0]))
            continue
        # The scan parts a series that holds several flip angles: the UID alone does not tell them apart.
        parted = sum(other.series_uid == series.series_uid for other in found) > 1
        volumes.append(load(path, series=series.files[0].name if parted else series.series_uid))
    return volumes
