"""Codes of what is segmented, where it lies and what was measured (DICOM PS3.16, SNOMED CT, UCUM).

A concept is (value, scheme, meaning). Concepts for which no public code is known have the scheme 99BONEQUANT, which
every reader shows by its meaning.
"""

from __future__ import annotations

import difflib
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from bonequant.errors import InputError

Concept = tuple[str, str, str]
OWN = "99BONEQUANT"

ANATOMY: Concept = ("123037004", "SCT", "Anatomical Structure")
ABNORMAL: Concept = ("49755003", "SCT", "Morphologically Abnormal Structure")
TISSUE: Concept = ("85756007", "SCT", "Tissue")
SPATIAL: Concept = ("309825002", "SCT", "Spatial and Relational Concept")

_VERTEBRAE = {
    "C": "14806007 39976000 113205007 5329002 36978003 36054005 87391001",
    "T": "64864005 53733008 1626008 73071006 56401006 45296009 62487009 11068009 82687006 7610001 12989004 23215003",
    "L": "66794005 14293000 36470004 11994002 49668003",
}
SITES: dict[str, Concept] = {
    f"{part.lower()}{place}": (value, "SCT", f"{part}{place} vertebra")
    for part, values in _VERTEBRAE.items()
    for place, value in enumerate(values.split(), 1)
} | {
    name: (value, "SCT", meaning)
    for name, value, meaning in (
        ("bone", "272673000", "Bone"),
        ("spine", "421060004", "Spine"),
        ("cervical spine", "122494005", "Cervical spine"),
        ("thoracic spine", "122495006", "Thoracic spine"),
        ("lumbar spine", "122496007", "Lumbar spine"),
        ("vertebra", "51282000", "Vertebra"),
        ("sacrum", "54735007", "Sacrum"),
        ("pelvis", "118645006", "Pelvis"),
        ("ilium", "22356005", "Ilium"),
        ("ischium", "85710004", "Ischium"),
        ("rib", "113197003", "Rib"),
        ("sternum", "56873002", "Sternum"),
        ("scapula", "79601000", "Scapula"),
        ("clavicle", "51299004", "Clavicle"),
        ("humerus", "85050009", "Humerus"),
        ("femur", "71341001", "Femur"),
        ("skull", "89546000", "Skull"),
        ("mandible", "91609006", "Mandible"),
        ("bone marrow", "14016003", "Bone Marrow"),
        ("liver", "10200004", "Liver"),
        ("spleen", "78961009", "Spleen"),
        ("kidney", "64033007", "Kidney"),
        ("aorta", "15825003", "Aorta"),
        ("portal vein", "32764006", "Portal vein"),
        ("muscle", "71616004", "Muscle"),
    )
}
SIDES: dict[str, Concept] = {"left": ("7771000", "SCT", "Left"), "right": ("24028007", "SCT", "Right")}

# kind of segment: (category, type)
KINDS: dict[str, tuple[Concept, Concept]] = {
    "bone lesion": (ABNORMAL, ("52988006", "SCT", "Lesion")),
    "lesion": (ABNORMAL, ("52988006", "SCT", "Lesion")),
    "bone metastasis": (ABNORMAL, ("94222008", "SCT", "Bony metastasis")),
    "tumour": (ABNORMAL, ("108369006", "SCT", "Neoplasm")),
    "reference region": (SPATIAL, ("C94970", "NCIt", "Reference Region")),
    "tissue": (TISSUE, TISSUE),
    **{name: (ANATOMY, concept) for name, concept in SITES.items() if name not in ("bone marrow",)},
    "bone marrow": (TISSUE, SITES["bone marrow"]),
}


@dataclass(frozen=True)
class Quantity:
    """What a number means: the coded quantity, its UCUM unit, and how it was derived from the voxels."""

    concept: Concept
    unit: Concept
    derivation: Concept | None = None


_NO_UNITS: Concept = ("1", "UCUM", "no units")
_PERCENT: Concept = ("%", "UCUM", "Percent")
_ML: Concept = ("ml", "UCUM", "Milliliter")
_MM: Concept = ("mm", "UCUM", "millimeter")
_GRAM: Concept = ("g", "UCUM", "gram")
_SUV: Concept = ("{SUVbw}g/ml", "UCUM", "Standardized Uptake Value body weight")
_SUV_LBM: Concept = ("{SUVlbm}g/ml", "UCUM", "Standardized Uptake Value lean body mass")
_PER_MIN: Concept = ("/min", "UCUM", "/minute")
_FLOW: Concept = ("ml/min/(100.ml)", "UCUM", "mL/min/100 mL")

# quantities of voxels, to which a suffix of _DERIVATIONS may be added
_VOXELS: dict[str, tuple[Concept, Concept]] = {
    "suv": (("126401", "DCM", "SUVbw"), _SUV),
    "suv_lbm": (("126402", "DCM", "SUVlbm"), _SUV_LBM),
    "ktrans": (("126312", "DCM", "Ktrans"), _PER_MIN),
    "kep": (("126313", "DCM", "kep"), _PER_MIN),
    "ve": (("126314", "DCM", "ve"), _NO_UNITS),
    "vp": (("126331", "DCM", "vp"), _NO_UNITS),
    "adc": (("113041", "DCM", "Apparent Diffusion Coefficient"), ("um2/s", "UCUM", "um2/s")),
    "activity": (("activity", OWN, "Activity concentration"), ("Bq/ml", "UCUM", "Becquerels/milliliter")),
    "hu": (("112031", "DCM", "Attenuation Coefficient"), ("[hnsf'U]", "UCUM", "Hounsfield unit")),
    "blood_flow": (("126390", "DCM", "Absolute Regional Blood Flow"), _FLOW),
    "alp": (("alp", OWN, "Arterial liver perfusion"), _FLOW),
    "pvp": (("pvp", OWN, "Portal venous liver perfusion"), _FLOW),
    "tlp": (("tlp", OWN, "Total liver perfusion"), _FLOW),
    "hpi": (("hpi", OWN, "Hepatic perfusion index"), _PERCENT),
}
_DERIVATIONS: dict[str, Concept] = {
    "mean": ("373098007", "SCT", "Mean"),
    "max": ("56851009", "SCT", "Maximum"),
    "min": ("255605001", "SCT", "Minimum"),
    "median": ("373099004", "SCT", "Median"),
    "sd": ("386136009", "SCT", "Standard Deviation"),
    "peak": ("126031", "DCM", "Peak Value Within ROI"),
}
_SINGLE: dict[str, Quantity] = {
    "volume_ml": Quantity(("118565006", "SCT", "Volume"), _ML),
    "metabolic_volume_ml": Quantity(("126032", "DCM", "Metabolic Volume"), _ML),
    "total_lesion_glycolysis_g": Quantity(("126033", "DCM", "Total Lesion Glycolysis"), _GRAM),
    "total_lesion_uptake_g": Quantity(("total_lesion_uptake", OWN, "Total lesion uptake (SUVmean x volume)"), _GRAM),
    "long_diameter_mm": Quantity(("103339001", "SCT", "Long axis"), _MM),
    "short_diameter_mm": Quantity(("103340004", "SCT", "Short axis"), _MM),
    "size_product_mm2": Quantity(
        ("size_product", OWN, "Product of perpendicular diameters"), ("mm2", "UCUM", "square millimeter")
    ),
}
# Quotients and changes of a quantity that has a name of its own; the last is their ending in a code of 16 characters.
_RELATIVE = {
    "_change_percent": ("Change of {} from baseline", _PERCENT, "_chg"),
    "_normalised": ("{} relative to the reference region", ("{ratio}", "UCUM", "ratio"), "_norm"),
}


def quantity(name: str) -> Quantity:
    """The codes of a measure by its name in results.

    ``suv_max``, ``vp_mean``, ``ktrans``; ``volume_ml``, ``metabolic_volume_ml``; ``vp_normalised``;
    ``vp_change_percent``, ``vp_normalised_change_percent``, ``size_change_percent`` and so on.

    Raises InputError for a name without codes: give a :class:`Quantity` of your own then.
    """
    if name in _SINGLE:
        return _SINGLE[name]
    if name in _VOXELS:
        return Quantity(*_VOXELS[name])
    for ending, (text, unit, _) in _RELATIVE.items():
        if name.endswith(ending):
            return Quantity((_short(name), OWN, text.format(_meaning(name.removesuffix(ending)))), unit)
    base, _, derivation = name.rpartition("_")
    if base in _VOXELS and derivation in _DERIVATIONS:
        return Quantity(*_VOXELS[base], _DERIVATIONS[derivation])
    raise InputError(
        f"No codes are known for the measure {name!r}{_near(name, [*_SINGLE, *_VOXELS])}. Give a Quantity of your own."
    )


def site(name: str) -> tuple[Concept, Concept | None]:
    """(place, side or None) of a finding site such as "T8", "sacrum" or "left femur".

    Raises InputError for a place without a code.
    """
    plain = " ".join(name.lower().replace("_", " ").split())
    first, _, rest = plain.partition(" ")
    side = SIDES.get(first)
    place = rest if side else plain
    if place not in SITES:
        raise InputError(f"No code is known for the site {name!r}{_near(place, SITES)}.")
    return SITES[place], side


def kind(name: str) -> tuple[Concept, Concept]:
    """(category, type) of a segment such as "bone lesion" or "vertebra". Raises InputError for an unknown one."""
    plain = " ".join(name.lower().replace("_", " ").split())
    if plain not in KINDS:
        raise InputError(f"No code is known for a segment of kind {name!r}{_near(plain, KINDS)}.")
    return KINDS[plain]


def _short(name: str) -> str:
    """A code value of a name; a name that is still too long ends in a checksum, since cut alone two might be one."""
    short = name
    for ending, (_, _, written) in _RELATIVE.items():
        short = short.replace(ending, written)
    return short if len(short) <= 16 else f"{short[:11]}_{zlib.crc32(name.encode()) & 0xFFFF:04x}"


def _meaning(name: str) -> str:
    if name == "size":
        return "size"
    if name.endswith("_normalised"):
        return f"normalised {_meaning(name.removesuffix('_normalised'))}"
    found = quantity(name)
    how = f" {found.derivation[2].lower()}" if found.derivation else ""
    return f"{found.concept[2]}{how}"


def _near(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=3)
    return f"; near: {', '.join(close)}" if close else ""
