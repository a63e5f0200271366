"""What a feature's name stands for: image, class, IBSI identifier and status, for the output beside the values."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from bonequant.errors import InputError
from bonequant.radiomics.features import Features
from bonequant.radiomics.ibsi.table import CLASSES
from bonequant.radiomics.mazda.names import GROUPS

VERIFIED = "IBSI, verified with the reference values"
FILTERED = "IBSI definition on a filtered image; IBSI-1 has no reference value"
PYRADIOMICS_ONLY = "pyradiomics, not in IBSI"
MAZDA = "MaZda, not in IBSI"


@dataclass(frozen=True)
class FeatureInfo:
    """``image``: "original" or the filter; ``ibsi_id``: IBSI's permanent identifier, "" where there is none."""

    name: str
    family: str
    image: str
    feature_class: str
    ibsi_id: str
    ibsi_tag: str
    status: str


_ROWS = {(name, row[0]): row for name, rows in CLASSES.items() for row in rows}
_MAZDA = {name: group for group, names in GROUPS.items() for name in names}


def describe_feature(name: str) -> FeatureInfo:
    """Look up a name as :func:`~bonequant.radiomics.extract` returns it. Raises InputError for any other."""
    if name in _MAZDA:
        return FeatureInfo(name, "mazda", "original", _MAZDA[name], "", "", MAZDA)
    image, feature_class, feature = ([*name.split("_"), "", ""])[:3]
    if (feature_class, feature) not in _ROWS:
        raise InputError(f"{name!r} is no name of a radiomics feature.")
    _, tag, identifier = _ROWS[feature_class, feature]
    standard = VERIFIED if image == "original" else FILTERED
    status = standard if identifier else PYRADIOMICS_ONLY
    return FeatureInfo(name, "ibsi", image, feature_class, identifier, tag, status)


def feature_table(features: Features) -> list[dict[str, str | float]]:
    """One row per feature, ready for a CSV: what describe_feature says of it, its value and why it is missing."""
    return [
        {
            **dataclasses.asdict(describe_feature(name)),
            "value": value,
            "missing_because": features.missing.get(name, ""),
        }
        for name, value in features.items()
    ]
