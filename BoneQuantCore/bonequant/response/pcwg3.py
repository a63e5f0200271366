"""PCWG3 rules for bone scans in prostate cancer: two new lesions, confirmed by two more or by persistence.

Source: Scher et al., J Clin Oncol 2016;34:1402. The first scan within the flare window counts against baseline and is
confirmed by two additional lesions; every later scan counts against that first scan and is confirmed by persistence.
Both confirmations come at least 6 weeks later.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from bonequant.errors import InputError
from bonequant.response.call import FLARE, GAP, NE, PDU, PROGRESSION, RESPONSE, STABLE, UNDETERMINED, Call, Criterion
from bonequant.response.compare import check_order
from bonequant.settings import Settings, setting

CRITERION = Criterion(
    name="pcwg3",
    title="PCWG3 bone scan",
    source="Scher et al., J Clin Oncol 2016;34:1402",
    categories={"PD": PROGRESSION, PDU: UNDETERMINED, "Non-PD": STABLE, "NED": RESPONSE},
    level="patient",
)


@dataclass(frozen=True)
class Pcwg3Settings(Settings):
    """Counts and windows of PCWG3."""

    new_lesions: int = setting(2, low=1, help="New lesions that make progression possible, and confirm it.")
    flare_weeks: float = setting(12.0, unit="wk", low=0, help="A first scan up to this time may show flare.")
    confirm_weeks: float = setting(6.0, unit="wk", low=0, help="Earliest confirmation after the scan in question.")


@dataclass(frozen=True)
class BoneScan:
    """One bone scan after the start of treatment.

    Attributes:
        scan_date: of the scan.
        new_lesions: names of the lesions seen now that baseline did not show; None where the scan cannot be read.
        any_lesion: is any lesion seen at all, old or new? False is NED.
    """

    scan_date: date
    new_lesions: frozenset[str] | None
    any_lesion: bool = True

    def __post_init__(self) -> None:
        if isinstance(self.new_lesions, str):
            raise InputError(f"new_lesions of {self.scan_date} are names in a set; {self.new_lesions!r} is one text.")
        if self.new_lesions is not None:
            object.__setattr__(self, "new_lesions", frozenset(self.new_lesions))
            if self.new_lesions and not self.any_lesion:
                raise InputError(f"The scan of {self.scan_date} shows new lesions and no lesion at all; correct one.")


def pcwg3(treatment_start: date, scans: Sequence[BoneScan], settings: Pcwg3Settings | None = None) -> Call:
    """State at the last of ``scans`` (all after ``treatment_start``, baseline not among them, in order).

    Returns:
        "PD" with ``values["progression_date"]``, "PDu" (a later scan must confirm), "Non-PD", "NED" or "NE". A
        confirmed PD stays PD. ``values["scans"]`` says how each scan was judged.

    Raises:
        InputError: no scan, scans out of order, or a scan before treatment.
    """
    settings = settings or Pcwg3Settings()
    if not scans:
        raise InputError("PCWG3 needs at least one bone scan after the start of treatment.")
    for early, late in itertools.pairwise(scans):
        check_order(early.scan_date, late.scan_date, "earlier in the list", "later in the list")
    if scans[0].scan_date < treatment_start:
        raise InputError(f"The scan of {scans[0].scan_date} is older than the start of treatment, {treatment_start}.")
    read = [scan for scan in scans if scan.new_lesions is not None]
    values: dict[str, object] = {
        "treatment_start": treatment_start,
        "new_lesions": {scan.scan_date: sorted(scan.new_lesions) for scan in read if scan.new_lesions is not None},
        "progression_date": None,
    }
    unread = tuple(f"The bone scan of {scan.scan_date} cannot be read." for scan in scans if scan.new_lesions is None)
    if not read:
        return CRITERION.call(NE, "no bone scan can be read: NE", settings, values=values, warnings=unread)

    judged = _judge_all(treatment_start, read, settings)
    values["scans"] = {scan.scan_date: state.text for scan, state in zip(read, judged, strict=True)}
    decisive = next((state for state in judged if state.category == "PD"), None)
    if decisive is None and scans[-1].new_lesions is None:
        rule = f"the last scan, {scans[-1].scan_date}, cannot be read: NE"
        return CRITERION.call(NE, rule, settings, values=values, warnings=unread)
    if decisive is None:
        # A scan that waits for its confirmation is not undone by a later scan that comes too early to confirm it.
        decisive = next((state for state in judged if state.category == PDU), judged[-1])
    if decisive.category == "PD":
        values["progression_date"] = decisive.scan.scan_date
    return CRITERION.call(
        decisive.category, decisive.text, settings, flags=decisive.flags, values=values, warnings=unread
    )


@dataclass(frozen=True)
class _State:
    """How one scan was judged."""

    scan: BoneScan
    category: str
    text: str
    flags: tuple[str, ...] = ()


def _judge_all(start: date, scans: list[BoneScan], settings: Pcwg3Settings) -> list[_State]:
    first = scans[0]
    weeks = (first.scan_date - start).days / 7.0
    in_window = weeks <= settings.flare_weeks
    states = [_judge_first(first, scans[1:], settings) if in_window else _judge_late_first(first, scans[1:], settings)]
    reference = _new(first) if in_window or states[0].category == "Non-PD" else frozenset()
    for place, scan in enumerate(scans[1:], start=1):
        states.append(_by_persistence(scan, scans[place + 1 :], reference, settings))
    # The scan that shows fewer than two additional lesions makes the first scan's lesions flare.
    if FLARE in states[0].flags and states[0].category == "Non-PD" and states[-1].category == "Non-PD":
        states[-1] = _State(states[-1].scan, "Non-PD", f"{states[-1].text}; {states[0].text}", states[0].flags)
    return states


def _judge_first(first: BoneScan, later: list[BoneScan], settings: Pcwg3Settings) -> _State:
    """The first scan, within the flare window: two new lesions, confirmed by two additional ones."""
    new, need = _new(first), settings.new_lesions
    seen = f"{first.scan_date}: {len(new)} new"
    if len(new) < need:
        return _calm(first, seen)
    confirming = _first_confirming(first, later, settings)
    if confirming is None:
        text = f"{seen} within the flare window, no scan {settings.confirm_weeks:g} weeks later yet: PDu"
        return _State(first, PDU, text, (FLARE,))
    additional = _new(confirming) - new
    if len(additional) >= need:
        return _State(
            first, "PD", f"{seen}, and {len(additional)} additional on {confirming.scan_date}: PD of {first.scan_date}"
        )
    text = f"{seen}, but only {len(additional)} additional on {confirming.scan_date}: flare, Non-PD"
    return _State(first, "Non-PD", text, (FLARE,))


def _judge_late_first(first: BoneScan, later: list[BoneScan], settings: Pcwg3Settings) -> _State:
    """A first scan after the window has only baseline before it: judged by persistence, and PCWG3 does not say so."""
    state = _by_persistence(first, later, frozenset(), settings)
    if state.category in ("PD", PDU):
        return _State(first, state.category, f"{state.text} (first scan, after the flare window)", (GAP,))
    return state


def _by_persistence(
    scan: BoneScan, later: list[BoneScan], reference: frozenset[str], settings: Pcwg3Settings
) -> _State:
    new, need = _new(scan) - reference, settings.new_lesions
    seen = f"{scan.scan_date}: {len(new)} new since the reference scan"
    if len(new) < need:
        return _calm(scan, seen)
    confirming = _first_confirming(scan, later, settings)
    if confirming is None:
        return _State(scan, PDU, f"{seen}, no scan {settings.confirm_weeks:g} weeks later yet: PDu")
    persisting = new & _new(confirming)
    if len(persisting) >= need:
        return _State(
            scan, "PD", f"{seen}, {len(persisting)} of them persist on {confirming.scan_date}: PD of {scan.scan_date}"
        )
    return _State(scan, "Non-PD", f"{seen}, only {len(persisting)} persist on {confirming.scan_date}: Non-PD")


def _calm(scan: BoneScan, seen: str) -> _State:
    return (
        _State(scan, "Non-PD", f"{seen}: Non-PD") if scan.any_lesion else _State(scan, "NED", f"{seen}, no lesion: NED")
    )


def _first_confirming(scan: BoneScan, later: list[BoneScan], settings: Pcwg3Settings) -> BoneScan | None:
    """The next scan late enough to confirm."""
    days = 7.0 * settings.confirm_weeks
    return next((other for other in later if (other.scan_date - scan.scan_date).days >= days), None)


def _new(scan: BoneScan) -> frozenset[str]:
    return scan.new_lesions or frozenset()
