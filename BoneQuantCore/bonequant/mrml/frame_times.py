"""Times of the frames of a sequence node: read, and typed anew by the user."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from bonequant.errors import InputError
from bonequant.mrml.sequences import seconds_per_unit, times_of


def frame_times(node: Any) -> np.ndarray:
    """Seconds, one per frame. Raises InputError for a sequence whose frames have no times."""
    return times_of(node)


def set_frame_times(node: Any, times_s: Sequence[float] | np.ndarray) -> None:
    """Give every frame its time, in the order of the frames; an index that was not time becomes one, in seconds.

    Raises:
        InputError: another number of times than frames, or times that do not rise.
    """
    times = np.asarray(times_s, dtype=float)
    count, what = node.GetNumberOfDataNodes(), f"Sequence '{node.GetName()}'"
    if times.shape != (count,):
        raise InputError(f"{what} has {count} frames, and {times.size} times are given: give one for each, in seconds.")
    if not np.all(np.isfinite(times)) or np.any(np.diff(times) <= 0.0):
        raise InputError(f"{what}: the frame times must rise from frame to frame, in seconds.")
    scale = seconds_per_unit(node)
    before = node.StartModify()
    try:
        node.SetIndexTypeFromString("text")  # numbers would be put in order while they change
        for place in range(count):  # an index value must be free when a frame takes it
            node.UpdateIndexValue(node.GetNthIndexValue(place), f"BoneQuant {place}")
        for place, time_s in enumerate(times.tolist()):
            node.UpdateIndexValue(f"BoneQuant {place}", repr(time_s / (scale or 1.0)))
        node.SetIndexTypeFromString("numeric")
        if scale is None:
            node.SetIndexName("time")
            node.SetIndexUnit("s")
    finally:
        node.EndModify(before)


def times_as_text(times_s: np.ndarray) -> str:
    """As a user types them: START:STEP where the frames are equally apart, else all of them."""
    steps = np.diff(times_s)
    if len(times_s) > 2 and np.allclose(steps, steps[0], rtol=0.0, atol=1e-6):
        return f"{times_s[0]:.10g}:{steps[0]:.10g}"
    return ", ".join(f"{time:.10g}" for time in times_s)


def times_from_text(text: str, count: int) -> np.ndarray:
    """Seconds of ``count`` frames from START:STEP, or from one number per frame. Raises InputError otherwise."""
    try:
        if ":" in text:
            start, step = (float(part) for part in text.split(":"))
            return start + step * np.arange(count)
        return np.array([float(part) for part in text.replace(";", ",").replace(",", " ").split()])
    except ValueError as error:
        raise InputError(f"Frame times {text[:60]!r}: give seconds parted by commas, or START:STEP.") from error


def times_in_words(times_s: np.ndarray) -> str:
    """One line about the times, for a label."""
    steps = np.diff(times_s)
    if not len(steps):
        return f"{len(times_s)} frames"
    even = np.allclose(steps, steps[0], rtol=0.0, atol=1e-6)
    apart = f"every {steps[0]:.6g} s" if even else f"{steps.min():.6g} to {steps.max():.6g} s apart"
    return f"{len(times_s)} frames, {times_s[0]:.6g} to {times_s[-1]:.6g} s, {apart}"
