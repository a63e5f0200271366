"""Lean body mass and body surface area for SUV normalisation.

Janmahasatian et al., Clin Pharmacokinet 2005;44:1051 (fat-free mass). James, Research on Obesity, HMSO 1976.
Du Bois and Du Bois, Arch Intern Med 1916;17:863.
"""

from __future__ import annotations

from bonequant.errors import InputError

# Above this BMI (kg/m2) James' parabola falls with weight: its maximum, 1.10e4 / (2*128) and 1.07e4 / (2*148).
JAMES_HIGHEST_BMI = {"M": 1.10e4 / 256.0, "F": 1.07e4 / 296.0}


def body_mass_index(weight_kg: float, height_m: float) -> float:
    """BMI in kg/m2."""
    return weight_kg / height_m**2


def lean_body_mass_kg(weight_kg: float, height_m: float, sex: str, formula: str = "janmahasatian") -> float:
    """Lean body mass in kg; ``sex`` "M" or "F", ``formula`` "janmahasatian" or "james".

    Raises InputError for another sex or formula, and where James' formula leaves its domain (a value not above zero).
    """
    if sex not in ("M", "F"):
        raise InputError(f"Lean body mass needs sex M or F, not {sex!r}: give patient_sex, or normalise by bw or bsa.")
    bmi = body_mass_index(weight_kg, height_m)
    if formula == "janmahasatian":
        return 9270 * weight_kg / (6680 + 216 * bmi if sex == "M" else 8780 + 244 * bmi)
    if formula != "james":
        raise InputError(f"No lean body mass formula {formula!r}; choose janmahasatian or james.")
    ratio = weight_kg / (100 * height_m)
    mass = 1.10 * weight_kg - 128 * ratio**2 if sex == "M" else 1.07 * weight_kg - 148 * ratio**2
    if mass <= 0:
        raise InputError(f"James' formula gives {mass:g} kg at a BMI of {bmi:.1f}; use janmahasatian.")
    return mass


def body_surface_m2(weight_kg: float, height_m: float) -> float:
    """Body surface in m2: 0.007184 W^0.425 H^0.725, W in kg, H in cm (Du Bois)."""
    return 0.007184 * weight_kg**0.425 * (100 * height_m) ** 0.725
