"""Which lesions RECIST 1.1 takes as targets.

Source: Eisenhauer et al., Eur J Cancer 2009;45:228, sections 3.1 and 3.2. At most five, two an organ (bone is one
organ); measurable at 10 mm on CT slices up to 5 mm, else at twice the slice thickness; nodes at 15 mm short axis. Bone:
lytic or mixed lesions with soft tissue that is measurable itself; blastic never. Irradiated lesions only if they have
grown since.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bonequant.errors import InputError

MOST_TARGETS = 5
MOST_PER_ORGAN = 2
SMALLEST_MM = 10.0
SMALLEST_NODE_MM = 15.0
THIN_SLICE_MM = 5.0
BONE_TYPES = ("lytic", "mixed", "blastic")


@dataclass(frozen=True)
class Recist11Target:
    """A lesion at baseline.

    Attributes:
        name: under which each visit gives its diameter.
        organ: "bone" for every bone; upper or lower case are one.
        diameter_mm: at baseline; of the soft tissue part for bone, the short axis for a node; None is "not checked".
        node: is it a lymph node?
        bone_type: "lytic", "mixed" or "blastic" for bone; None is "not known", which is warned of, or no bone.
        soft_tissue: does a bone lesion have a soft tissue part? None is "not known", which is warned of.
        irradiated, progressing_since: irradiated before, and grown after that.
    """

    name: str
    organ: str = "bone"
    diameter_mm: float | None = None
    slice_mm: float = 5.0
    node: bool = False
    bone_type: str | None = None
    soft_tissue: bool | None = None
    irradiated: bool = False
    progressing_since: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "organ", self.organ.strip().lower())


def why_not_measurable(lesion: Recist11Target) -> str | None:
    """Why the lesion cannot be a target, as a sentence; None where it can."""
    if lesion.bone_type is not None and lesion.bone_type not in BONE_TYPES:
        raise InputError(f"Bone lesion {lesion.name!r} is {lesion.bone_type!r}; choose {', '.join(BONE_TYPES)}.")
    if lesion.bone_type == "blastic":
        return f"{lesion.name!r} is blastic, and blastic lesions are never measurable"
    if lesion.organ == "bone" and lesion.soft_tissue is False:
        return f"{lesion.name!r} is a bone lesion without soft tissue"
    if lesion.irradiated and not lesion.progressing_since:
        return f"{lesion.name!r} was irradiated and has not grown since"
    smallest = smallest_mm(lesion)
    if lesion.diameter_mm is not None and not lesion.diameter_mm >= smallest:
        return f"{lesion.name!r} measures {lesion.diameter_mm:g} mm, less than {smallest:g} mm"
    return None


def unstated(targets: Sequence[Recist11Target]) -> list[str]:
    """Warnings about bone targets of which it was not said that they may be targets."""
    bones = [target for target in targets if target.organ == "bone"]
    return [
        f"Bone target {target.name!r}: not stated, so not checked: {' and '.join(missing)}."
        for target in bones
        if (
            missing := [
                what
                for what, value in (
                    ("its type (blastic is never measurable)", target.bone_type),
                    ("its soft tissue part", target.soft_tissue),
                )
                if value is None
            ]
        )
    ]


def smallest_mm(lesion: Recist11Target) -> float:
    """Smallest measurable diameter in mm at the slice thickness of its examination."""
    if lesion.node:
        return SMALLEST_NODE_MM
    return SMALLEST_MM if lesion.slice_mm <= THIN_SLICE_MM else 2.0 * lesion.slice_mm


def check_targets(targets: Sequence[Recist11Target]) -> None:
    """Raise InputError where these may not be the targets of one patient."""
    names = Counter(target.name for target in targets)
    twice = [name for name, count in names.items() if count > 1]
    if twice:
        raise InputError(f"Targets share a name: {', '.join(twice)}. Give each its own.")
    if len(targets) > MOST_TARGETS:
        raise InputError(f"{len(targets)} targets; RECIST 1.1 takes at most {MOST_TARGETS}. Make the rest non-target.")
    crowded = {
        organ: count for organ, count in Counter(target.organ for target in targets).items() if count > MOST_PER_ORGAN
    }
    for organ, count in crowded.items():
        raise InputError(f"{count} targets in {organ}; RECIST 1.1 takes at most {MOST_PER_ORGAN} an organ.")
    for target in targets:
        reason = why_not_measurable(target)
        if reason:
            raise InputError(f"{reason}: make it a non-target lesion.")
