"""Dates and times of DICOM as naive local date-times, and the rules that put a date to a lone time.

A DT value with an offset from UTC is brought to the offset of the data set (0008,0201) where that is given, else its
digits are taken as local, so that it compares with the DA and TM values beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta

from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset

from bonequant.io.dicom_header import text

_DT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:(\d{2})(\d{2})(\d{2})?(?:\.(\d{1,6}))?)?\s*([+-]\d{4})?$")
_TM = re.compile(r"(\d{2}):?(\d{2})?:?(\d{2})?(?:\.(\d{1,6}))?$")


def parse_datetime(written: str | None, offset: str | None = None) -> datetime | None:
    """A DT value with at least a date and hours and minutes; None for anything else."""
    match = _DT.match(written.strip()) if written else None
    if match is None or match[4] is None:
        return None
    year, month, day, hour, minute = (int(match[i]) for i in range(1, 6))
    try:
        moment = datetime(year, month, day, hour, minute, min(int(match[6] or 0), 59), _micros(match[7]))
    except ValueError:
        return None
    if match[8] and offset and re.fullmatch(r"[+-]\d{4}", offset):
        moment += _delta(offset) - _delta(match[8])
    return moment


def parse_time(written: str | None) -> time | None:
    match = _TM.match(written.strip()) if written else None
    if match is None:
        return None
    try:  # a leap second, 60, is allowed by the standard and unknown to Python
        return time(int(match[1]), int(match[2] or 0), min(int(match[3] or 0), 59), _micros(match[4]))
    except ValueError:
        return None


def parse_date(written: str | None) -> date | None:
    digits = (written or "").strip().replace(".", "").replace("-", "")
    try:
        return datetime.strptime(digits, "%Y%m%d").date() if len(digits) == 8 else None
    except ValueError:
        return None


def moment(header: Dataset | None, name: str) -> datetime | None:
    """``moment(header, "Acquisition")``: AcquisitionDateTime, else AcquisitionDate and AcquisitionTime, or None."""
    if tag_for_keyword(f"{name}DateTime") is not None:  # there is no StudyDateTime and no SeriesDateTime
        whole = parse_datetime(text(header, f"{name}DateTime"), text(header, "TimezoneOffsetFromUTC"))
        if whole is not None:
            return whole
    day, clock = parse_date(text(header, f"{name}Date")), parse_time(text(header, f"{name}Time"))
    return datetime.combine(day, clock) if day and clock else None


def earliest(headers: Iterable[Dataset], name: str) -> datetime | None:
    return min((found for header in headers if (found := moment(header, name)) is not None), default=None)


def before(clock: time, reference: datetime) -> tuple[datetime, bool]:
    """The last moment with this clock time that is not after ``reference``, and whether it fell on the day before."""
    same_day = datetime.combine(reference.date(), clock)
    return (same_day - timedelta(days=1), True) if same_day > reference else (same_day, False)


def _micros(digits: str | None) -> int:
    return int((digits or "0").ljust(6, "0"))


def _delta(offset: str) -> timedelta:
    sign = -1 if offset[0] == "-" else 1
    return sign * timedelta(hours=int(offset[1:3]), minutes=int(offset[3:5]))
