"""From paths to the inputs of the job. A date is a DCE series, a folder of named parts, or a JSON manifest.

Folder: subfolders (or files) named by role, in any case: ``DCE``, ``T1`` (flip angles) or ``T1_map``, ``MASKS``; every
other one is an image under its own name (``ADC``, ``HIGH_B``, ``CT``, ``SPECT``, ``PET``). Manifest::

    {"name": "before", "date": "2026-01-31", "dce": "DCE", "t1_series": ["T1"], "masks": ["lesions.seg.nrrd"],
     "images": {"adc": "ADC", "spect": {"path": "SPECT", "facts": {"patient_weight_kg": 70}}}, "facts": {}}

Names of masks tell what they are: ``reference`` or ``<lesion>_reference`` (healthy vertebra),
``<lesion>_extra_osseous`` (soft-tissue part), ``normal_bone``, ``skeleton``, ``aif`` (the artery); all others are
lesions.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import SimpleITK as sitk

from bonequant.errors import InputError
from bonequant.io import load, load_masks
from bonequant.io.csv_table import read_csv_table
from bonequant.io.series import image_suffix
from bonequant.progress import Progress, part_of
from bonequant.studies import dce_perfusion
from bonequant.studies.dce_perfusion import DceInputs
from bonequant.studies.treatment_response.inputs import DCE, DateInputs
from bonequant.volume import Volume

_T1, _T1_MAP, _B1_MAP, _MASKS = "t1", "t1_map", "b1_map", "masks"
_ROLES = ("adc", "high_b", "ct", "spect", "pet")
REFERENCE, EXTRA_OSSEOUS, NORMAL_BONE, SKELETON, ARTERY = "reference", "extra_osseous", "normal_bone", "skeleton", "aif"
_KEYS = ("name", "date", "dce", "which", "t1_series", "t1_map", "b1_map", "aif", "times_s", "masks", "images", "facts")


def read_date(
    path: str | Path,
    name: str,
    masks: Sequence[str | Path] = (),
    *,
    facts: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> DateInputs:
    """Read one date.

    Args:
        path: a manifest (.json), a folder with subfolders by role, or a DCE series (folder or file).
        name: of the date in tables, unless the manifest gives one.
        masks: further masks, drawn at this date.
        facts: what the files do not say, for the DCE series: keywords of :func:`bonequant.io.load_dynamic`.

    Raises InputError for a path that is neither, a manifest that is damaged or names what does not exist, a region
    given twice, and as the readers.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path} does not exist.")
    if path.suffix.lower() == ".json":
        parts = _manifest(path)
    elif path.is_dir():
        parts = _folder(path) or {"dce": path}
    else:
        parts = {"dce": path}
    parts["masks"] = [*parts.get("masks", []), *masks]
    parts["facts"] = {**parts.get("facts", {}), **(facts or {})}
    return _read(parts, str(parts.get("name") or name), path, progress)


def read_links(path: str | Path) -> dict[int, list[tuple[tuple[str, ...], tuple[str, ...]]]]:
    """Links between lesions that the reader sets: a CSV with the columns interval, before, after.

    ``interval`` 0 is from the first date with lesions drawn to the next; several names are parted by ";"; an empty side
    means new or gone. Raises InputError naming the line.
    """
    table = read_csv_table(path)
    if not {"before", "after"} <= set(table.columns):
        raise InputError(f"{path}: the columns interval, before, after are due; it has {', '.join(table.columns)}.")
    links: dict[int, list[tuple[tuple[str, ...], tuple[str, ...]]]] = {}
    for row in table.rows:
        try:
            interval = int(row.cells.get("interval", "0"))
        except ValueError:
            raise InputError(f"{row.where}: the interval {row.cells['interval']!r} is no whole number.") from None
        before, after = (
            tuple(part.strip() for part in row.cells.get(side, "").split(";") if part.strip())
            for side in ("before", "after")
        )
        links.setdefault(interval, []).append((before, after))
    return links


def _manifest(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path} is no readable manifest: {error}.") from error
    if not isinstance(found, dict):
        raise InputError(f"{path} must hold one object; its keys: {', '.join(_KEYS)}.")
    unknown = sorted(set(found) - set(_KEYS))
    if unknown:
        raise InputError(f"{path}: no key {', '.join(unknown)}. Known: {', '.join(_KEYS)}.")
    root = path.parent
    parts: dict[str, Any] = dict(found)
    for key in ("dce", "t1_map", "b1_map"):
        if found.get(key):
            parts[key] = root / str(found[key])
    for key in ("t1_series", "masks"):
        given = found.get(key) or []
        parts[key] = [root / str(item) for item in ([given] if isinstance(given, str) else given)]
    images = found.get("images") or {}
    if not isinstance(images, dict):
        raise InputError(f"{path}: images is an object of roles and paths.")
    parts["images"] = {}
    for role, item in images.items():
        entry = {"path": item} if isinstance(item, str) else item
        if not isinstance(entry, dict) or "path" not in entry:
            raise InputError(f"{path}: the image {role} is a path, or an object with a path and facts.")
        parts["images"][str(role).lower()] = {**entry, "path": root / str(entry["path"])}
    return parts


def _folder(path: Path) -> dict[str, Any] | None:
    """Parts of a folder whose subfolders or image files are named by role; None where there is no such subfolder."""
    inner = {_role(item): item for item in sorted(path.iterdir()) if item.is_dir() or image_suffix(item)}
    if not set(inner) & {DCE, _T1, _MASKS, *_ROLES}:
        return None
    parts: dict[str, Any] = {"images": {}, "masks": []}
    for role, item in inner.items():
        if role == DCE:
            parts["dce"] = item
        elif role == _T1:
            parts["t1_series"] = [item]
        elif role in (_T1_MAP, _B1_MAP):
            parts[role] = item
        elif role == _MASKS or item.name.lower().endswith((".seg.nrrd", ".seg.nhdr")):
            parts["masks"].append(item)
        else:
            parts["images"][role] = {"path": item}
    return parts


def _role(item: Path) -> str:
    name = item.name if item.is_dir() else item.name.removesuffix(image_suffix(item) or "")
    return name.lower()


def _read(parts: Mapping[str, Any], name: str, source: Path, progress: Progress | None) -> DateInputs:
    images: dict[str, Volume] = {}
    wanted = dict(parts.get("images") or {})
    for number, (role, entry) in enumerate(wanted.items()):
        span = part_of(progress, 0.1 * number / len(wanted), 0.1 * (number + 1) / len(wanted))
        images[role] = load(entry["path"], progress=span, **(entry.get("facts") or {}))
    dce: DceInputs | None = None
    if parts.get("dce"):
        dce = dce_perfusion.read_inputs(
            parts["dce"],
            [],
            t1_series=parts.get("t1_series") or [],
            t1_map=parts.get("t1_map"),
            b1_map=parts.get("b1_map"),
            aif=parts.get("aif") or "auto",
            times_s=parts.get("times_s"),
            which=parts.get("which"),
            facts=parts.get("facts") or {},
            name=name,
            progress=part_of(progress, 0.1, 1.0),
        )
    like = _like(dce, images)
    found: dict[str, sitk.Image] = {}
    for path in parts.get("masks") or []:
        read = load_masks(path, like)
        twice = sorted(set(read) & set(found))
        if twice:
            raise InputError(f"{path}: {', '.join(twice)} was given by another mask already.")
        found |= read
    folder = Path(parts["dce"]) if parts.get("dce") else source
    return with_masks(
        DateInputs(
            name=name,
            dce=dce,
            images=images,
            typed_date=_date(parts.get("date"), source),
            folder=str(folder),
            image_folders={role: str(entry["path"]) for role, entry in wanted.items()},
        ),
        found,
    )


def _like(dce: DceInputs | None, images: Mapping[str, Volume]) -> Volume | None:
    if dce is not None:
        return dce.series.frame(0)
    return images.get("ct") or next(iter(images.values()), None)


def with_masks(one: DateInputs, masks: Mapping[str, sitk.Image]) -> DateInputs:
    """A date with its masks, each put where its name says; see the head of this file.

    Raises InputError for a reference or a soft-tissue part of no lesion, and for an artery without a series.
    """
    rest = dict(masks)
    artery = rest.pop(ARTERY, None)
    dce = one.dce
    if artery is not None:
        if dce is None:
            raise InputError(f"{one.name}: the mask {ARTERY} needs a DCE series.")
        dce = dataclasses.replace(dce, aif_region=artery)
    normal_bone, skeleton = rest.pop(NORMAL_BONE, None), rest.pop(SKELETON, None)
    references = {"": rest.pop(REFERENCE)} if REFERENCE in rest else {}
    for name in [name for name in rest if name.endswith(f"_{REFERENCE}")]:
        references[name.removesuffix(f"_{REFERENCE}")] = rest.pop(name)
    outside = {
        name.removesuffix(f"_{EXTRA_OSSEOUS}"): rest.pop(name)
        for name in [name for name in rest if name.endswith(f"_{EXTRA_OSSEOUS}")]
    }
    for what, names in ((REFERENCE, set(references) - {""}), (EXTRA_OSSEOUS, set(outside))):
        unknown = sorted(names - set(rest)) if rest else []
        if unknown:
            raise InputError(f"{one.name}: {unknown[0]}_{what} belongs to no lesion. Lesions: {', '.join(rest)}.")
    return dataclasses.replace(
        one,
        dce=dce,
        lesions=rest,
        extra_osseous=outside,
        references=references,
        normal_bone=normal_bone,
        skeleton=skeleton,
    )


def _date(given: Any, source: Path) -> date | None:
    if given is None:
        return None
    try:
        return date.fromisoformat(str(given))
    except ValueError as error:
        raise InputError(f"{source}: the date {given!r} is not written as 2026-01-31.") from error
