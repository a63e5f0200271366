"""The adjacent healthy vertebra of every lesion at every date: drawn, carried, or proposed with its reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import SimpleITK as sitk

from bonequant.roi import HealthyVertebra, propose_healthy_vertebra
from bonequant.studies.treatment_response.alignment import Alignment
from bonequant.studies.treatment_response.inputs import DateInputs
from bonequant.studies.treatment_response.lesions import ABSENT, CARRIED, DRAWN, PROPOSED, Lesion, Outline
from bonequant.studies.treatment_response.settings import ResponseSettings
from bonequant.volume import Volume


@dataclass(frozen=True, eq=False)
class References:
    """``outlines``: per lesion (by tracking id) one per date; ``proposals`` by tracking id."""

    outlines: dict[str, tuple[Outline, ...]]
    proposals: dict[str, HealthyVertebra]
    warnings: tuple[str, ...]


def find_references(
    dates: Sequence[DateInputs],
    lesions: Sequence[Lesion],
    anatomies: Sequence[tuple[str, Volume]],
    alignment: Alignment,
    settings: ResponseSettings,
) -> References:
    """A reference drawn for a lesion comes before one drawn for all; at dates without one it is carried."""
    outlines: dict[str, tuple[Outline, ...]] = {}
    proposals: dict[str, HealthyVertebra] = {}
    warnings: list[str] = []
    for lesion in lesions:
        drawn = {k: mask for k, one in enumerate(dates) if (mask := _drawn(one, lesion)) is not None}
        origin = DRAWN
        if not drawn and settings.propose_reference:
            proposal, home = _propose(dates, lesion, anatomies)
            if proposal is None:
                warnings.append(
                    f"{lesion.label}: no healthy vertebra is drawn, and none is seen beside it. Draw one "
                    "(mask named reference)."
                )
            else:
                proposals[lesion.tracking_id] = proposal
                drawn, origin = {home: proposal.mask}, PROPOSED
                warnings.append(
                    f"{lesion.label}: the reference vertebra {proposal.side} it was proposed by the program: "
                    "look at the pictures, and draw one (mask named reference) where it is not healthy."
                )
        elif not drawn:
            warnings.append(f"{lesion.label}: no healthy vertebra is drawn. Draw one (mask named reference).")
        outlines[lesion.tracking_id] = tuple(_at(k, drawn, origin, alignment) for k in range(len(dates)))
    return References(outlines, proposals, tuple(warnings))


def _drawn(one: DateInputs, lesion: Lesion) -> sitk.Image | None:
    names = [name for name in (*lesion.names, lesion.tracking_id) if name is not None]
    return next((one.references[name] for name in names if name in one.references), one.references.get(""))


def _at(k: int, drawn: dict[int, sitk.Image], origin: str, alignment: Alignment) -> Outline:
    if not drawn:
        return Outline(ABSENT)
    if k in drawn:
        return Outline(origin, drawn[k], k)
    source = max((j for j in drawn if j < k), default=min(drawn))
    return Outline(CARRIED, drawn[source], source, alignment.between(source, k))


def _propose(
    dates: Sequence[DateInputs], lesion: Lesion, anatomies: Sequence[tuple[str, Volume]]
) -> tuple[HealthyVertebra | None, int]:
    """At the date where the lesion was first drawn, on its DCE series before contrast."""
    home = next(k for k, name in enumerate(lesion.names) if name is not None)
    one = dates[home]
    if one.dce is None or anatomies[home][1].modality != "MR":
        return None, home
    own = lesion.names[home]
    others = {name: mask for name, mask in one.lesions.items() if name != own}
    return propose_healthy_vertebra(anatomies[home][1], one.lesions[str(own)], others), home
