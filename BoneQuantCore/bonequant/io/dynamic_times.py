"""The time of every frame: which attribute gives it, the checks on it, and what the user should know about it.

Convention of ``times_s``:

- NM and PT: the middle of each frame, counted from the start of the first frame.
- MR and CT: the frame's time less that of the first frame, so that the first is 0. Where the file gives durations that
  differ, middles are taken. Which moment within a frame the scanner's time marks is the same for all frames, and a
  common shift of tissue and input curve changes no kinetic parameter.
- Slices that carry times of their own (2-D multi-slice, cine): the frame's time is the mean over its slices.

Order of trust: the enhanced objects' own frame times, TriggerTime (GE, Philips: since the start of the dynamic scan),
AcquisitionDateTime or AcquisitionDate and AcquisitionTime, FrameReferenceTime, then ContentTime, which is when the
image was made. An attribute counts only if it differs from frame to frame. TriggerTime gives way to AcquisitionTime
where the two disagree, because with cardiac gating it is the delay after the R wave.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bonequant.errors import InputError, MissingFactError
from bonequant.io.dicom_header import tag
from bonequant.io.dynamic_phases import IMAGE_TIMES, NUMBERS, TIMES, TimedPlane, key_values

_EMISSION = ("NM", "PT")
_ALREADY_MIDDLE = ("FrameReferenceTime", "FrameReferenceDateTime")  # "most representative" moments of a frame
_WIDE = 1.5  # a gap this many times the usual interval is reported
_AGREE = 0.1
_ROUNDING_S = 1e-6


@dataclass(frozen=True)
class FrameTimes:
    """``order``: frames in the order of time, indices into the phases as they came."""

    order: np.ndarray
    times_s: np.ndarray
    durations_s: np.ndarray | None
    source: str
    slice_offsets_s: tuple[float, ...] = ()
    warnings: tuple[str, ...] = ()


def frame_times(
    planes: Sequence[TimedPlane],
    phases: np.ndarray,
    modality: str,
    given: np.ndarray | None,
    interval_s: float | None,
    label: str,
) -> FrameTimes:
    """Times of the phases (indices (T, slices) into ``planes``).

    Args:
        planes: all planes of the series.
        phases: from :func:`split_phases`.
        modality: decides between the middle of frames and the first frame's own time, see above.
        given: the caller's times, which count for frames in their order; None to take the file's.
        interval_s: TemporalResolution, used (with a warning) where no time is there.
        label: how messages name the series.

    Raises MissingFactError where neither file nor caller says the times, InputError for times that cannot be.
    """
    warnings: list[str] = []
    table = {keyword: key_values(planes, keyword)[phases] for keyword in (*TIMES, *IMAGE_TIMES)}
    valid = {keyword: values for keyword, values in table.items() if _tells(values)}
    numbers = next((n for n in (_numbers(planes, phases, keyword) for keyword in NUMBERS) if n is not None), None)
    keyword = _choose(valid, warnings)
    durations = _durations(planes, phases)
    offsets: tuple[float, ...] = ()
    if keyword is None:
        order = np.argsort(numbers, kind="stable") if numbers is not None else np.arange(len(phases))
        times = None if interval_s is None else interval_s * np.arange(len(phases))
        if times is not None and given is None:
            warnings.append(
                f"no frame has a time of its own; frames were placed every {interval_s:g} s by "
                f"{tag('TemporalResolution')}: check times_s"
            )
        keyword = "TemporalResolution"
    else:
        middle = valid[keyword].mean(axis=1)
        order = np.argsort(middle, kind="stable")
        times = middle[order] - middle[order[0]]
        if numbers is not None and np.any(np.diff(numbers[order]) < 0):
            warnings.append(f"the temporal positions count otherwise than {tag(keyword)}; frames are in order of time")
        offsets = _slice_offsets(valid[keyword][order], times, warnings)
    durations = None if durations is None else durations[order]
    if given is not None:
        return FrameTimes(order, given, durations, "given by the caller", offsets, tuple(warnings))
    if times is None:
        seen = ", ".join(tag(name) for name in ("TriggerTime", "AcquisitionTime", "ContentTime"))
        raise MissingFactError(
            f"{label}: {len(phases)} frames, but no attribute says when ({seen} are absent or the same for several "
            f"frames). Give times_s, {len(phases)} numbers in seconds.",
            fact="times_s",
        )
    if keyword in IMAGE_TIMES:
        warnings.append(f"frame times are from {tag(keyword)}, when the images were made: check times_s")
    if durations is not None:
        middle = times + (durations[0] if keyword in _ALREADY_MIDDLE else durations) / 2
        times = middle if modality in _EMISSION else middle - middle[0]
    refuse_disorder(times, label)
    return FrameTimes(order, times, durations, tag(keyword), offsets, (*warnings, *gaps(times)))


def check_times(times_s: object, count: int, label: str) -> np.ndarray:
    """The caller's times as float64 (count,). Raises InputError that names the frame where they cannot be."""
    try:
        times = np.asarray(times_s, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"times_s takes {count} numbers in seconds, not {times_s!r}.") from error
    if times.shape != (count,):
        raise InputError(f"{label} has {count} frames; times_s has {times.size} numbers. Give one per frame.")
    if not np.all(np.isfinite(times)):
        raise InputError(f"{label}: times_s[{int(np.flatnonzero(~np.isfinite(times))[0])}] is not finite.")
    refuse_disorder(times, label)
    return times


def refuse_disorder(times: np.ndarray, label: str) -> None:
    """Raise InputError for times that repeat or decrease, naming the frames."""
    bad = np.flatnonzero(np.diff(times) <= 0)
    if bad.size:
        k = int(bad[0])
        what = "the same time" if times[k + 1] == times[k] else "decreasing times"
        raise InputError(
            f"{label}: frames {k + 1} and {k + 2} have {what} ({times[k]:g} s and {times[k + 1]:g} s); frame times "
            "must increase. Give them with times_s."
        )


def gaps(times: np.ndarray) -> list[str]:
    """A sentence for intervals far wider than usual; [] where there are none."""
    steps = np.diff(times)
    usual = float(np.median(steps)) if steps.size else 0.0
    wide = np.flatnonzero(steps > _WIDE * usual)
    if steps.size < 3 or not wide.size:
        return []
    listed = ", ".join(f"{steps[k]:.4g} s after frame {k + 1}" for k in wide[:6])
    return [f"frames are usually {usual:.4g} s apart; gaps: {listed}{' ...' if wide.size > 6 else ''}"]


def _tells(values: np.ndarray) -> bool:
    """Does every frame have a time, and each another?"""
    if not np.all(np.isfinite(values)):
        return False
    middle = np.sort(values.mean(axis=1))
    return bool(np.all(np.diff(middle) > 0))


def _choose(valid: dict[str, np.ndarray], warnings: list[str]) -> str | None:
    keyword = next(iter(valid), None)
    if keyword == "TriggerTime" and "AcquisitionTime" in valid:
        spans = [float(np.ptp(valid[name].mean(axis=1))) for name in ("TriggerTime", "AcquisitionTime")]
        if abs(spans[0] - spans[1]) > max(2.0, _AGREE * spans[1]):
            warnings.append(
                f"{tag('TriggerTime')} spans {spans[0]:.4g} s, {tag('AcquisitionTime')} {spans[1]:.4g} s; the latter "
                "was taken"
            )
            return "AcquisitionTime"
    return keyword


def _numbers(planes: Sequence[TimedPlane], phases: np.ndarray, keyword: str) -> np.ndarray | None:
    values = key_values(planes, keyword)[phases]
    if not np.all(np.isfinite(values)) or np.any(values != values[:, :1]):
        return None
    return values[:, 0] if len(np.unique(values[:, 0])) == len(phases) else None


def _durations(planes: Sequence[TimedPlane], phases: np.ndarray) -> np.ndarray | None:
    found = np.array([np.nan if timed.duration_s is None else timed.duration_s for timed in planes])[phases]
    found = found.mean(axis=1)
    return found if np.all(found > 0) else None


def _slice_offsets(values: np.ndarray, times: np.ndarray, warnings: list[str]) -> tuple[float, ...]:
    """Seconds of each slice after its frame's time, () where the slices share it."""
    own = values - values.mean(axis=1, keepdims=True)
    spread = float(np.ptp(own, axis=1).max())
    if spread < _ROUNDING_S:
        return ()
    interval = float(np.median(np.diff(times)))
    beyond = ", longer than a frame: positions were scanned one after the other" if spread > 1.05 * interval else ""
    warnings.append(
        f"slices of one frame were taken up to {spread:.4g} s apart{beyond}; frame times are the means over slices"
    )
    return tuple(float(seconds) for seconds in own.mean(axis=0))
