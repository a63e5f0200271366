"""From paths to the inputs of the job: the same reading for the command line, a script and a cohort."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import SimpleITK as sitk

from bonequant.errors import InputError
from bonequant.io import load_dynamic, load_masks
from bonequant.kinetics import file_input
from bonequant.progress import Progress
from bonequant.registration import load_transform
from bonequant.studies.dynamic_spect.inputs import DynamicSpectInputs, check


def read_inputs(
    spect: str | Path,
    masks: Sequence[str | Path] = (),
    *,
    blood: str | Path | None = None,
    transform: str | Path | None = None,
    series: str | None = None,
    times_s: Sequence[float] | None = None,
    facts: Mapping[str, Any] | None = None,
    name: str = "dynamic SPECT",
    progress: Progress | None = None,
) -> DynamicSpectInputs:
    """Read a dynamic SPECT with its regions.

    Args:
        spect: dynamic NM: a file, or a folder with one file per frame; .seq.nrrd.
        masks: regions in the space of the SPECT, or of the CT that ``transform`` carries to it.
        blood: text file of two columns, seconds since the injection and Bq/mL, decay-corrected to the injection.
        transform: points of the masks' space to points of the SPECT.
        times_s: mid-frame times in place of the file's.
        facts: what the file does not say: keywords of :func:`bonequant.io.load_dynamic`.

    Raises InputError as :func:`bonequant.io.load_dynamic` and :func:`bonequant.io.load_masks`.
    """
    frames = load_dynamic(spect, series=series, times_s=times_s, progress=progress, **(facts or {}))
    between = None if transform is None else load_transform(transform)
    like = frames.frame(0) if between is None else None
    found: dict[str, sitk.Image] = {}
    for path in masks:
        read = load_masks(path, like)
        twice = sorted(set(read) & set(found))
        if twice:
            raise InputError(f"{path}: {', '.join(twice)} was given by another mask already.")
        found |= read
    curve = None if blood is None else file_input(blood, "blood", unit="Bq/mL")
    inputs = DynamicSpectInputs(frames, found, curve, between, name)
    check(inputs)
    return inputs
