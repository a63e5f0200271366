"""Lesions, measurements and calls as rows in the shape of the SDTM oncology domains TU, TR and RS.

Variables and terms after CDISC SDTMIG 3.4, section 6.3.5.9, and its controlled terminology (TUTESTCD, TUIDRS, TRTESTCD,
TUMSTATE, ONCRTSCD, ONCRSR), from memory of the published lists: verify against the current release before a submission.
Measures without a published term keep their own names in upper case (the lists are extensible). A TU row is where a
lesion is first seen, TR rows are what was measured at each visit, RS rows are the calls, SUPPRS rows the rules that
fired.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from bonequant.errors import InputError
from bonequant.response.call import Call
from bonequant.response.match_lesions import NEW
from bonequant.response.track_lesions import LesionTracks

_TR_TESTS = {  # our measure: (TRTESTCD, TRTEST, unit)
    "long_diameter_mm": ("LDIAM", "Longest Diameter", "mm"),
    "short_diameter_mm": ("LPERP", "Longest Perpendicular", "mm"),
    "size_product_mm2": ("PRODUCT", "Product of the Diameters", "mm2"),
    "volume_ml": ("VOLUME", "Volume", "mL"),
    "suv_max": ("SUVMAX", "Maximum Standardized Uptake Value", "g/mL"),
    "suv_mean": ("SUVMEAN", "Mean Standardized Uptake Value", "g/mL"),
    "suv_peak": ("SUVPEAK", "Peak Standardized Uptake Value", "g/mL"),
    "vp": ("VP", "Plasma Volume Fraction", ""),
    "vp_normalised": ("VPNORM", "Plasma Volume Fraction Normalised", "RATIO"),
    "ktrans": ("KTRANS", "Volume Transfer Constant", "1/min"),
    "adc_mean": ("ADCMEAN", "Mean Apparent Diffusion Coefficient", "um2/s"),
}
_LONGEST_VALUE = 200  # characters of one value in the transport format
_ROLES = ("TARGET", "NON-TARGET", "NEW")
_STATES = {"gone": "ABSENT", "merged": "COALESCED", "not yet": ""}


@dataclass(frozen=True)
class Visit:
    """One date: VISIT, its number, the date, and the imaging method ("MRI", "CT SCAN", "PET/CT SCAN", "SPECT/CT")."""

    name: str
    number: int
    scan_date: date | None
    method: str


@dataclass(frozen=True)
class LesionPlace:
    """TULOC, TULAT and the role ("TARGET", "NON-TARGET"; "NEW" where it appeared after the first visit)."""

    location: str = "BONE"
    laterality: str = ""
    role: str = "TARGET"


def sdtm(
    study: str,
    subject: str,
    tracks: LesionTracks,
    visits: Sequence[Visit],
    measurements: Mapping[tuple[str, int], Mapping[str, float]] | None = None,
    calls: Mapping[tuple[str, int], Call] | None = None,
    places: Mapping[str, LesionPlace] | None = None,
    evaluator: str = "INVESTIGATOR",
    methods: Mapping[tuple[int, str], str] | None = None,
) -> dict[str, list[dict[str, Any]]]:
    """Rows by domain name "TU", "TR", "RS" and "SUPPRS".

    Args:
        study, subject: STUDYID and USUBJID; a pseudonym, never a name.
        tracks: from :func:`bonequant.response.track_lesions`; visits as many as its dates.
        measurements: by (tracking id, index of the visit): measure name to value; NaN is NOT DONE.
        calls: by (tracking id, or "" for the whole patient; index of the visit).
        places: by tracking id.
        methods: imaging method of a measure by (index of the visit, its name), where it is not the visit's.

    Raises:
        InputError: another number of visits than dates, an unknown lesion or visit, an unknown role.
    """
    measurements, calls, places = measurements or {}, calls or {}, places or {}
    ids = [track.tracking_id for track in tracks.tracks]
    _check(tracks, visits, [*measurements, *calls], places, ids)
    head = {"STUDYID": study, "USUBJID": subject}
    tu, tr, rs = [], [], []
    for track in tracks.tracks:
        place = places.get(track.tracking_id, LesionPlace())
        first = next(k for k, name in enumerate(track.names) if name is not None)
        role = "NEW" if track.states[first] == NEW else place.role
        tu.append(_tu(head, track, place, role, visits[first], evaluator))
        for k, visit in enumerate(visits):
            tr += _tr(
                head, track, k, role, visit, measurements.get((track.tracking_id, k), {}), evaluator, methods or {}
            )
    for (lesion, k), call in calls.items():
        rs.append(_rs(head, lesion, visits[k], call, evaluator))
    tables = {name: _numbered(name, rows) for name, rows in (("TU", tu), ("TR", tr), ("RS", rs))}
    rules = [row for number, call in enumerate(calls.values(), 1) for row in _supprs(head, number, call)]
    return {**tables, "SUPPRS": rules}


def _check(
    tracks: LesionTracks,
    visits: Sequence[Visit],
    keys: Sequence[tuple[str, int]],
    places: Mapping[str, LesionPlace],
    ids: Sequence[str],
) -> None:
    dates = len(tracks.tracks[0].names) if tracks.tracks else len(visits)
    if len(visits) != dates:
        raise InputError(f"The lesions were followed over {dates} dates, and {len(visits)} visits are given.")
    for lesion, visit in keys:
        if lesion and lesion not in ids:
            raise InputError(f"There is no lesion {lesion!r}; there are {', '.join(ids)}.")
        if not 0 <= visit < len(visits):
            raise InputError(f"There is no visit {visit}; there are 0 to {len(visits) - 1}.")
    for lesion, place in places.items():
        if place.role not in _ROLES or lesion not in ids:
            raise InputError(
                f"Lesion {lesion!r}, role {place.role!r}: known are {', '.join(ids)}; {', '.join(_ROLES)}."
            )


def _tu(
    head: dict[str, str], track: Any, place: LesionPlace, role: str, visit: Visit, evaluator: str
) -> dict[str, Any]:
    code, test = ("TUSPLIT", "Tumor Split") if track.split_from else ("TUMIDENT", "Tumor Identification")
    return {
        **head,
        "TULNKID": track.tracking_id,
        "TUREFID": track.split_from or "",
        "TUTESTCD": code,
        "TUTEST": test,
        "TUORRES": role,
        "TUSTRESC": role,
        "TULOC": place.location,
        "TULAT": place.laterality,
        "TUMETHOD": visit.method,
        "TUEVAL": evaluator,
        **_when("TU", visit),
    }


def _tr(
    head: dict[str, str],
    track: Any,
    k: int,
    role: str,
    visit: Visit,
    values: Mapping[str, float],
    evaluator: str,
    methods: Mapping[tuple[int, str], str],
) -> list[dict[str, Any]]:
    """The state of the lesion, then its measures."""
    state = _STATES.get(track.states[k], "PRESENT")
    if not state and not values:
        return []
    common = {"TRGRPID": role, "TRLNKID": track.tracking_id}
    rows = []
    if state:
        rows.append(_result(head, common, ("TUMSTATE", "Tumor State", ""), state, visit, evaluator))
    for name, value in values.items():
        test = _TR_TESTS.get(name, (name.upper().replace("_", "")[:8], name.replace("_", " ").capitalize()[:40], ""))
        seen_by = dataclasses.replace(visit, method=methods.get((k, name), visit.method))
        rows.append(_result(head, common, test, float(value), seen_by, evaluator))
    return rows


def _result(
    head: dict[str, str],
    common: dict[str, str],
    test: tuple[str, str, str],
    value: str | float,
    visit: Visit,
    evaluator: str,
) -> dict[str, Any]:
    code, title, unit = test
    done = isinstance(value, str) or math.isfinite(value)
    text = value if isinstance(value, str) else repr(value) if done else ""
    return {
        **head,
        **common,
        "TRTESTCD": code,
        "TRTEST": title,
        "TRORRES": text,
        "TRORRESU": unit if done else "",
        "TRSTRESC": text,
        "TRSTRESN": value if done and not isinstance(value, str) else None,
        "TRSTRESU": unit if done else "",
        "TRSTAT": "" if done else "NOT DONE",
        "TRREASND": "" if done else "NOT MEASURABLE",
        "TRMETHOD": visit.method,
        "TREVAL": evaluator,
        **_when("TR", visit),
    }


def _rs(head: dict[str, str], lesion: str, visit: Visit, call: Call, evaluator: str) -> dict[str, Any]:
    code, test = ("LESNRESP", "Lesion Response") if lesion else ("OVRLRESP", "Overall Response")
    return {
        **head,
        "RSLNKID": lesion,
        "RSTESTCD": code,
        "RSTEST": test,
        "RSCAT": call.criterion.upper(),
        "RSORRES": call.category,
        "RSSTRESC": call.category.upper(),
        "RSSTAT": "",
        "RSREASND": "",  # NE is a result, not an assessment that was not done
        "RSEVAL": evaluator,
        **_when("RS", visit),
    }


def _supprs(head: dict[str, str], number: int, call: Call) -> list[dict[str, Any]]:
    """The rule that fired, as a supplemental qualifier of an RS row, in parts of the 200 characters that fit one."""
    parts = [call.rule[start : start + _LONGEST_VALUE] for start in range(0, len(call.rule), _LONGEST_VALUE)]
    return [
        {
            "STUDYID": head["STUDYID"],
            "RDOMAIN": "RS",
            "USUBJID": head["USUBJID"],
            "IDVAR": "RSSEQ",
            "IDVARVAL": str(number),
            "QNAM": f"RSRULE{place or ''}",
            "QLABEL": f"Rule That Fired {place or ''}".strip(),
            "QVAL": part,
            "QORIG": "DERIVED",
            "QEVAL": "",
        }
        for place, part in enumerate(parts)
    ]


def _when(domain: str, visit: Visit) -> dict[str, Any]:
    day = visit.scan_date.isoformat() if visit.scan_date else ""
    return {"VISITNUM": visit.number, "VISIT": visit.name, f"{domain}DTC": day}


def _numbered(domain: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """DOMAIN after STUDYID, and the sequence number after USUBJID, as the standard orders them."""
    result = []
    for number, row in enumerate(rows, 1):
        rest = {key: value for key, value in row.items() if key not in ("STUDYID", "USUBJID")}
        ids = {"STUDYID": row["STUDYID"], "DOMAIN": domain, "USUBJID": row["USUBJID"], f"{domain}SEQ": number}
        result.append({**ids, **rest})
    return result
