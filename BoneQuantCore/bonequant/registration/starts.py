"""Where the search begins: the scanner's geometry, scored alternatives around it, the body's centroid.

The alternatives are the scanner's geometry shifted and turned along each axis. All are scored with the coarse metric,
the best few are followed, and the one that ends highest wins; the scanner's geometry is always among those followed.
The centroid joins only where the frames of reference differ: it makes truncated fields of view worse.
"""

from __future__ import annotations

import numpy as np

from bonequant.errors import RegistrationError
from bonequant.registration.metric import MutualInformation
from bonequant.registration.rigid import Motion, Tick, climb, information_of

_SHIFT_MM = 20.0
_TURN_MM = 18.0  # on the lever of 150 mm: 7 degrees
_FOLLOWED = 3  # alternatives followed beside each base
_FIRST_STEP_MM = 4.0


def best_start(metric: MutualInformation, bases: list[Motion], tick: Tick) -> Motion:
    """The highest optimum of the coarse ``metric`` that is reached from ``bases`` and their best alternatives.

    Raises RegistrationError where the images overlap from none of them.
    """
    scored: list[tuple[float, int, Motion]] = []
    for motion in [*bases, *(moved for base in bases for moved in _around(base))]:
        tick()
        try:
            scored.append((information_of(metric, motion), len(scored), motion))
        except RegistrationError:
            continue
    if not scored:
        raise RegistrationError(
            "The two images do not overlap in the scanner's geometry. If they are of one patient and region, "
            "set start='centroid' to lay their bodies over each other first."
        )
    first = [item for item in scored if any(item[2] is base for base in bases)]
    others = sorted((item for item in scored if item not in first), key=lambda item: (-item[0], item[1]))
    ends = []
    for _, order, motion in [*first, *others[:_FOLLOWED]]:
        try:
            end, value = climb(metric, motion, _FIRST_STEP_MM, tick)
        except RegistrationError:
            continue
        ends.append((-value, order, end))
    if not ends:
        raise RegistrationError("The search lost the overlap of the two images from every start; align them by hand.")
    return min(ends, key=lambda item: item[:2])[2]


def _around(base: Motion) -> list[Motion]:
    """Twelve motions: ``base`` turned and shifted either way along each axis."""
    steps = np.diag([_TURN_MM] * 3 + [_SHIFT_MM] * 3)
    return [base.moved(base.parameters + step) for step in (*steps, *-steps)]
