"""From paths to the inputs of the job: the same reading for the command line, a script and a cohort."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import SimpleITK as sitk

from bonequant.errors import InputError
from bonequant.io import load, load_dynamic, load_masks
from bonequant.progress import Progress, part_of
from bonequant.registration import load_transform
from bonequant.studies.liver_perfusion.inputs import LiverInputs, MaaInputs, check
from bonequant.studies.liver_perfusion.maa import read_maa_table
from bonequant.volume import Volume


def read_inputs(
    ct: str | Path,
    masks: Sequence[str | Path] = (),
    *,
    second_reader: Sequence[str | Path] = (),
    maa: str | Path | None = None,
    maa_ct: str | Path | None = None,
    maa_masks: Sequence[str | Path] = (),
    maa_transform: str | Path | None = None,
    maa_table: str | Path | None = None,
    series: str | None = None,
    maa_series: str | None = None,
    maa_ct_series: str | None = None,
    times_s: Sequence[float] | None = None,
    facts: Mapping[str, Any] | None = None,
    same_patient_confirmed: bool = False,
    name: str = "perfusion",
    progress: Progress | None = None,
) -> LiverInputs:
    """Read a perfusion CT with its regions.

    Args:
        ct: dynamic CT: folder of DICOM, 4-D NRRD or NIfTI.
        masks: the first reader's regions in the space of the CT: RTSTRUCT, SEG, .seg.nrrd, label images, folders.
        second_reader: the second reader's.
        maa, maa_ct: 99mTc-MAA SPECT and its own CT.
        maa_masks: lesions and liver drawn on the SPECT.
        maa_transform: file of the alignment, points of the perfusion CT to points of the SPECT.
        maa_table: CSV with columns lesion and ratio, in place of the SPECT.
        times_s: frame times in place of the file's.
        facts: what the file of the CT does not say: keywords of :func:`bonequant.io.load_dynamic`.

    Raises:
        InputError: as :func:`bonequant.io.load_dynamic` and :func:`bonequant.io.load_masks`; a region given twice.
    """
    frames = load_dynamic(ct, series=series, times_s=times_s, progress=part_of(progress, 0.0, 0.7), **(facts or {}))
    like = frames.frame(0)
    first, second = read_masks(masks, like), read_masks(second_reader, like)
    found = None
    if any(path is not None for path in (maa, maa_ct, maa_transform, maa_table)) or maa_masks:
        spect = None if maa is None else load(maa, series=maa_series, progress=part_of(progress, 0.7, 0.8))
        own = None if maa_ct is None else load(maa_ct, series=maa_ct_series, progress=part_of(progress, 0.8, 1.0))
        found = MaaInputs(
            spect=spect,
            ct=own,
            transform=None if maa_transform is None else load_transform(maa_transform),
            masks=read_masks(maa_masks, spect),
            ratios={} if maa_table is None else read_maa_table(maa_table),
        )
    inputs = LiverInputs(frames, first, second, found, same_patient_confirmed, name)
    check(inputs)
    return inputs


def read_masks(paths: Sequence[str | Path], like: Volume | None) -> dict[str, sitk.Image]:
    """Regions of all files together. Raises InputError for a region that stands in two of them."""
    masks: dict[str, sitk.Image] = {}
    for path in paths:
        read = load_masks(path, like)
        twice = sorted(set(read) & set(masks))
        if twice:
            raise InputError(f"{path}: {', '.join(twice)} was given by another mask already.")
        masks |= read
    return masks
