"""DCE-MRI response of a spine metastasis to radiotherapy: the change of normalised plasma volume (Vp).

Source: the project's paper 4 (T1 DCE-MRI of spine metastases, 2023). Normalised Vp is the ROI mean of the lesion over
that of an adjacent healthy vertebra. Failure is the positive class: failure where the change exceeds -40 % (equality is
success, this project's default; Kumar 2017 used -20 %). Size, the largest axial product of two perpendicular diameters,
fails above -10 %.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from bonequant.errors import InputError
from bonequant.response.call import DISCORDANT, NE, PROGRESSION, RESPONSE, Call, Criterion
from bonequant.response.compare import ABOVE, NAN, check_order, holds, number, percent, percent_change
from bonequant.settings import Settings, setting

CRITERION = Criterion(
    name="dce_vp",
    title="DCE Vp (spine metastases after radiotherapy, 2023)",
    source="T1 DCE-MRI response of spine metastases to radiotherapy (2023); Kumar 2017 for -20 %",
    categories={"failure": PROGRESSION, "success": RESPONSE},
)

# Gy and fractions of the cohort from which the cut-off comes.
STUDIED_DOSES = ((24.0, 1), (27.0, 3), (30.0, 3))


@dataclass(frozen=True)
class DceVpSettings(Settings):
    """Cut-offs and windows of the DCE Vp criterion."""

    vp_cutoff_percent: float = setting(-40.0, unit="%", low=-100, high=100, help="Vp fails above this change.")
    vp_operator: str = setting(">", choices=ABOVE, help="Is a change equal to the cut-off a success (>)?")
    size_cutoff_percent: float = setting(-10.0, unit="%", low=-100, high=100, help="Size fails above this change.")
    size_operator: str = setting(">", choices=ABOVE, help="Is a size change equal to the cut-off a success (>)?")
    longest_interval_days: int = setting(365, unit="d", low=1, help="Last day after radiotherapy for the later scan.")


@dataclass(frozen=True)
class DceScan:
    """One lesion in one DCE study; None is "not known".

    Attributes:
        vp, vp_reference: ROI means in the lesion and in the adjacent healthy vertebra, in one unit.
        ktrans, ktrans_reference: likewise, in ``ktrans_unit``.
        diameters_mm: the two perpendicular diameters of the largest axial product.
        extra_osseous_mm: extension beyond the line of the normal cortex, three perpendicular dimensions.
        series_uid: identity of the study, to notice one study given twice.
        contrast_agent, protocol: as recorded; compared between the two dates as text.
        reference_in_field: does the reference vertebra lie in the radiation field?
        fracture: is the lesion's vertebra, or the reference, fractured?
    """

    vp: float | None = None
    vp_reference: float | None = None
    ktrans: float | None = None
    ktrans_reference: float | None = None
    ktrans_unit: str = "1/min"
    diameters_mm: tuple[float, float] | None = None
    extra_osseous_mm: tuple[float, float, float] | None = None
    scan_date: date | None = None
    series_uid: str | None = None
    contrast_agent: str | None = None
    protocol: str | None = None
    reference_in_field: bool | None = None
    fracture: bool | None = None

    def __post_init__(self) -> None:
        for name in ("diameters_mm", "extra_osseous_mm"):
            if any(number(value) < 0 for value in getattr(self, name) or ()):
                raise InputError(f"{name} is {getattr(self, name)}; lengths are not below zero.")


@dataclass(frozen=True)
class Radiotherapy:
    """Last day of radiotherapy, total dose and number of fractions; None is "not known"."""

    end_date: date | None = None
    dose_gy: float | None = None
    fractions: int | None = None


def dce_vp(
    before: DceScan | float,
    after: DceScan | float,
    radiotherapy: Radiotherapy | None = None,
    settings: DceVpSettings | None = None,
) -> Call:
    """Success or failure of one lesion by the change of its normalised Vp; the call by size stands beside it.

    Args:
        before, after: the lesion at both dates; a bare number is a Vp that is normalised already.
        radiotherapy: for the time window and the dose.

    Returns:
        "success", "failure", or "NE" where Vp is missing at a date, has no reference, is not above zero before, or is
        below zero after.
        ``values["size_category"]`` is the call by size; the flag "discordant" says that the two disagree. The change
        of Ktrans is secondary and decides nothing.

    Raises:
        InputError: dates in the wrong order, or one study given twice.
    """
    settings = DceVpSettings.of(settings)
    normalised = {"before": _normalised(before), "after": _normalised(after)}
    first, second = _scan(before), _scan(after)
    check_order(first.scan_date, second.scan_date)
    if first.series_uid is not None and first.series_uid == second.series_uid:
        raise InputError(f"Series {first.series_uid} was given both as before and as after: choose two studies.")

    change = NAN if normalised["after"] < 0 else percent_change(normalised["before"], normalised["after"])
    size = _size(first, second, settings)
    values = {
        "vp_before": number(first.vp),
        "vp_after": number(second.vp),
        "vp_reference_before": number(first.vp_reference),
        "vp_reference_after": number(second.vp_reference),
        "vp_normalised_before": normalised["before"],
        "vp_normalised_after": normalised["after"],
        "vp_change_percent": change,
        **_ktrans(first, second),
        **size,
        **_extra_osseous(first, second),
        "days_after_radiotherapy": _days(radiotherapy, second),
    }
    warnings = _warnings(first, second, radiotherapy, settings)
    if change != change:  # NaN
        return CRITERION.call(NE, _why_not(normalised), settings, values=values, warnings=warnings)
    failed = holds(change, settings.vp_operator, settings.vp_cutoff_percent)
    category = "failure" if failed else "success"
    sign = settings.vp_operator if failed else {">": "<=", ">=": "<"}[settings.vp_operator]
    return CRITERION.call(
        category,
        f"change of normalised Vp {percent(change)} {sign} {settings.vp_cutoff_percent:g} %: {category}",
        settings,
        flags=(DISCORDANT,) if size["size_category"] not in (NE, category) else (),
        values=values,
        warnings=warnings,
    )


def _scan(given: DceScan | float) -> DceScan:
    return given if isinstance(given, DceScan) else DceScan()


def _normalised(given: DceScan | float) -> float:
    if not isinstance(given, DceScan):
        return number(given)
    return _ratio(given.vp, given.vp_reference)


def _ratio(value: float | None, reference: float | None) -> float:
    """Lesion over healthy vertebra; NaN where a value is missing or the reference is not above zero."""
    return number(value) / number(reference) if number(reference) > 0 else NAN


def _ktrans(first: DceScan, second: DceScan) -> dict[str, float]:
    before, after = _ratio(first.ktrans, first.ktrans_reference), _ratio(second.ktrans, second.ktrans_reference)
    one_unit = first.ktrans_unit == second.ktrans_unit
    return {
        "ktrans_before": number(first.ktrans),
        "ktrans_after": number(second.ktrans),
        "ktrans_normalised_before": before,
        "ktrans_normalised_after": after,
        "ktrans_change_percent": percent_change(first.ktrans, second.ktrans) if one_unit else NAN,
        "ktrans_normalised_change_percent": percent_change(before, after),
    }


def _size(first: DceScan, second: DceScan, settings: DceVpSettings) -> dict[str, Any]:
    before, after = (
        number(scan.diameters_mm[0]) * number(scan.diameters_mm[1]) if scan.diameters_mm else NAN
        for scan in (first, second)
    )
    change = percent_change(before, after)
    failed = holds(change, settings.size_operator, settings.size_cutoff_percent)
    return {
        "size_product_before_mm2": before,
        "size_product_after_mm2": after,
        "size_change_percent": change,
        "size_category": NE if change != change else "failure" if failed else "success",
    }


def _extra_osseous(first: DceScan, second: DceScan) -> dict[str, Any]:
    before, after = first.extra_osseous_mm, second.extra_osseous_mm
    change = None
    if before is not None and after is not None:
        change = tuple(late - early for early, late in zip(before, after, strict=True))
    return {
        "extra_osseous_before_mm": before,
        "extra_osseous_after_mm": after,
        "extra_osseous_change_mm": change,
    }


def _days(radiotherapy: Radiotherapy | None, scan: DceScan) -> int | None:
    if radiotherapy is None or radiotherapy.end_date is None or scan.scan_date is None:
        return None
    return (scan.scan_date - radiotherapy.end_date).days


def _why_not(normalised: dict[str, float]) -> str:
    missing = [name for name, value in normalised.items() if value != value]
    if missing:
        return f"no normalised Vp {' and '.join(missing)} therapy: NE"
    if normalised["before"] > 0:
        return f"normalised Vp after therapy is {normalised['after']:.6g}, below zero: NE"
    return f"normalised Vp before therapy is {normalised['before']:.6g}, not above zero: NE"


def _warnings(
    first: DceScan, second: DceScan, radiotherapy: Radiotherapy | None, settings: DceVpSettings
) -> tuple[str, ...]:
    found = []
    if first.reference_in_field or second.reference_in_field:
        found.append("The reference vertebra lies in the radiation field: its own Vp changes with treatment.")
    if first.fracture or second.fracture:
        found.append("A fracture changes perfusion and size of its own.")
    for name, what in (("contrast_agent", "contrast agent"), ("protocol", "protocol"), ("ktrans_unit", "Ktrans unit")):
        one, two = getattr(first, name), getattr(second, name)
        if one is not None and two is not None and one != two:
            found.append(f"The {what} differs between the dates: {one} and {two}.")
    early = _days(radiotherapy, first)
    if early is not None and early > 0:
        found.append(f"The earlier scan was made {early} days after radiotherapy ended: it shows no state before it.")
    days = _days(radiotherapy, second)
    if days is not None and days < 0:
        found.append(f"The later scan was made {-days} days before radiotherapy ended.")
    if days is not None and days > settings.longest_interval_days:
        found.append(
            f"The later scan was made {days} days after radiotherapy; the criterion was studied up to "
            f"{settings.longest_interval_days} days (median 62)."
        )
    if radiotherapy is not None and radiotherapy.dose_gy is not None and radiotherapy.fractions is not None:
        dose = (radiotherapy.dose_gy, radiotherapy.fractions)
        if dose not in STUDIED_DOSES:
            found.append(f"{dose[0]:g} Gy in {dose[1]} was not studied; 24 Gy in 1, 27 Gy in 3 and 30 Gy in 3 were.")
    checked = ("scan_date", "contrast_agent", "protocol", "reference_in_field", "fracture")
    names = [field.name for field in fields(DceScan) if field.name in checked]
    unknown = [name for name in names if getattr(first, name) is None or getattr(second, name) is None]
    unknown += [] if radiotherapy is not None and radiotherapy.end_date is not None else ["end of radiotherapy"]
    if unknown:
        found.append(f"Not stated, so not checked: {', '.join(name.replace('_', ' ') for name in unknown)}.")
    return tuple(found)
