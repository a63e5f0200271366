"""Fit a kinetic model to curves: ``fit(times_s, curves, aif, model)`` gives a :class:`Fit`.

Every model of ``models`` goes through one solver: variable projection over exponentials, the input convolved exactly
for any frame times, bounds kept, the global optimum of the dictionary found without start values::

    fit = bonequant.kinetics.fit(times_s, curves, aif, "extended_tofts")
    fit["ktrans"], fit["ve"], fit["vp"], fit.r2, fit.at_bound, fit.n_failed
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from bonequant.errors import InputError
from bonequant.kinetics.blocks import Fitted, fit_blocks
from bonequant.kinetics.delay import groups
from bonequant.kinetics.input_function import InputFunction
from bonequant.kinetics.models import Kernel, Model, model_named
from bonequant.kinetics.problem import Problem
from bonequant.kinetics.settings import KineticsSettings
from bonequant.progress import Progress, no_progress
from bonequant.volume.types import Curve

_BLOCK = 8192  # curves whose standard errors are worked out together


@dataclass(frozen=True, eq=False)
class Fit:
    """What a fit of N curves found. NaN stands where a curve could not be fitted, and where nothing tells a parameter:
    ve and kep of a curve whose Ktrans is 0 (``Model.undefined``).

    Attributes:
        model: name of the model.
        times_s: (T,) frame times.
        values: parameter name to (N,).
        units: parameter name to unit; "" for fractions.
        rss: (N,) sum of squared residuals over the frames that count.
        r2: (N,) 1 - rss / sum of squares around the mean; NaN for a constant curve.
        at_bound: (N,) True where a parameter sits on one of its bounds.
        n_failed: number of curves with values that are not finite.
    """

    model: str
    times_s: np.ndarray
    values: dict[str, np.ndarray]
    units: dict[str, str]
    rss: np.ndarray
    r2: np.ndarray
    at_bound: np.ndarray
    n_failed: int
    settings: KineticsSettings
    problem: Problem = field(repr=False)
    fitted: Fitted = field(repr=False)

    def __getitem__(self, name: str) -> np.ndarray:
        """Values (N,) of a parameter. Raises KeyError with the names that exist."""
        if name not in self.values:
            raise KeyError(f"{self.model} has no parameter {name!r}; it has {', '.join(self.values)}.")
        return self.values[name]

    def predict(self, times_s: np.ndarray | None = None) -> np.ndarray:
        """Fitted curves (N, T) at the frame times, or at ``times_s`` within the input's range."""
        every = len(self.problem.times_min) == len(self.times_s)
        if times_s is None and every:  # as they were compared: means over the frames, where these are long
            times = self.problem.times_min
        else:
            times = (self.times_s if times_s is None else np.asarray(times_s, dtype=np.float64)) / 60.0
        return predict_kernels(self.problem, self.fitted.kernel, self.fitted.delays, times)

    def standard_errors(self) -> dict[str, np.ndarray]:
        """Standard errors (N,) of the free parameters from the curvature at the optimum; NaN at a bound."""
        return standard_errors(self.problem, self.fitted)


def fit(
    times_s: np.ndarray,
    curves: np.ndarray,
    aif: Curve | np.ndarray,
    model: str = "extended_tofts",
    settings: KineticsSettings | None = None,
    *,
    portal: Curve | np.ndarray | None = None,
    durations_s: np.ndarray | None = None,
    progress: Progress | None = None,
) -> Fit:
    """Fit ``model`` to N curves.

    Args:
        times_s: (T,) strictly increasing frame times in seconds, any spacing.
        curves: (N, T) or (T,) tissue concentration (mM), or enhancement in the unit of the input.
        aif: input: a Curve on its own times, or (T,) on ``times_s``; plasma concentration in mM for MR. The vascular
            term of "one_tissue" uses this same curve.
        model: "tofts", "extended_tofts", "patlak", "one_tissue", "2cum", "2cxm" or "dual_input_liver".
        settings: bounds, delay, threads.
        portal: portal-venous input, for "dual_input_liver" alone.
        durations_s: (T,) of frames whose values are means over them, ``times_s`` their middles: SPECT and PET. The
            model is averaged over each frame; None compares it at ``times_s``.

    Raises:
        InputError: times, shapes or inputs that cannot be used, or fewer frames than the model needs.
        SettingsError: unknown model.
    """
    settings = KineticsSettings.of(settings)
    times = checked_times(times_s)
    data = np.atleast_2d(np.asarray(curves))
    if data.ndim != 2 or data.shape[1] != len(times):
        raise InputError(
            f"Curves of shape {np.shape(curves)} do not fit {len(times)} frame times; give (N, T) or (T,)."
        )
    problem = make_problem(times, aif, model, settings, portal, durations_s)
    frames = frames_that_count(times, settings)

    def block(start: int, stop: int) -> np.ndarray:
        return np.ascontiguousarray(data[start:stop, frames].T, dtype=np.float64)

    found = fit_blocks(problem, len(data), block, progress)
    return Fit(
        model=problem.model.name,
        times_s=times,
        values=found.values,
        units=units_of(problem.model, settings),
        rss=found.rss,
        r2=found.r2,
        at_bound=found.at_bound,
        n_failed=found.n_failed,
        settings=settings,
        problem=problem,
        fitted=found,
    )


def checked_times(times_s: np.ndarray) -> np.ndarray:
    """Frame times as float64. Raises InputError where they are not finite and strictly increasing."""
    times = np.asarray(times_s, dtype=np.float64)
    if times.ndim != 1 or len(times) < 2 or not np.all(np.isfinite(times)):
        raise InputError(f"Frame times must be at least two finite numbers in one row, not shape {times.shape}.")
    wrong = np.flatnonzero(np.diff(times) <= 0.0)
    if len(wrong):
        i = int(wrong[0])
        kind = "repeated" if times[i] == times[i + 1] else "decreasing"
        raise InputError(
            f"Frame times are {kind}: frame {i} at {times[i]:g} s, frame {i + 1} at {times[i + 1]:g} s. "
            "Sort the frames, or give the right times."
        )
    return times


def frames_that_count(times_s: np.ndarray, settings: KineticsSettings) -> np.ndarray | slice:
    return slice(None) if settings.first_s is None else times_s >= settings.first_s


def frames_needed(model: Model, *, with_delay: bool) -> int:
    """One frame more than there are parameters."""
    return len(model.free) + (len(model.delays) if with_delay else 0) + 1


def units_of(model: Model, settings: KineticsSettings) -> dict[str, str]:
    return {**model.units, **(dict.fromkeys(model.delays, "s") if settings.fit_delay else {})}


def make_problem(
    times: np.ndarray,
    aif: Curve | np.ndarray,
    model: str,
    settings: KineticsSettings,
    portal: Curve | np.ndarray | None,
    durations_s: np.ndarray | None = None,
) -> Problem:
    """Check the inputs against the model and the frames. Raises as :func:`fit`."""
    known = model_named(model)
    if (portal is not None) != (known.second == "portal"):
        need = "needs a portal input: give portal=" if portal is None else "takes no portal input"
        raise InputError(f"The model {known.name} {need}.")
    frames = frames_that_count(times, settings)
    counted, widths = times[frames], None
    if durations_s is not None:
        durations = np.asarray(durations_s, dtype=np.float64)
        if durations.shape != times.shape or not np.all(durations > 0.0):
            raise InputError(f"Frame durations must be {len(times)} numbers above zero, one per frame.")
        widths = durations[frames] / 60.0
    needed = frames_needed(known, with_delay=settings.fit_delay)
    if len(counted) < needed:
        raise InputError(f"{known.name} needs at least {needed} frames for its parameters; {len(counted)} count.")
    beyond = max(-settings.delay_s[0], 0.0) if settings.fit_delay else 0.0
    inputs = [InputFunction.of(aif, times, "The AIF", beyond)]
    if portal is not None:
        inputs.append(InputFunction.of(portal, times, "The portal input", beyond))
    return Problem(known, settings, tuple(inputs), counted / 60.0, widths)


def predict_kernels(problem: Problem, kernel: np.ndarray, delays: np.ndarray, times_min: np.ndarray) -> np.ndarray:
    """Curves (N, T) of kernel rows (4, N); NaN for voxels that failed."""
    result = np.full((kernel.shape[1], len(times_min)), np.nan)
    for shared, voxels in groups(delays):
        fine = voxels[np.isfinite(kernel[0, voxels])]
        if len(fine):
            result[fine] = problem.predict(Kernel(*kernel[:, fine]), shared, times_min).T
    return result


def standard_errors(problem: Problem, found: Fitted, progress: Progress | None = None) -> dict[str, np.ndarray]:
    """sqrt(diag(s^2 (J'J)^-1)) of the free parameters, J by central differences, s^2 = rss / (frames - parameters).

    Delays are held fixed. NaN where a parameter sits on a bound, where the curvature says nothing of the error. Worked
    out block by block, as the fit.
    """
    names = list(problem.model.free)
    errors = {name: np.full(len(found.rss), np.nan) for name in names}
    usable = np.flatnonzero(np.isfinite(found.rss) & ~found.at_bound)
    report = progress or no_progress
    for start in range(0, len(usable), _BLOCK):
        report(start / len(usable), f"Standard errors: {start} of {len(usable)} curves")
        voxels = usable[start : start + _BLOCK]
        for name, values in zip(names, _errors_of(problem, found, names, voxels), strict=True):
            errors[name][voxels] = values
    return errors


def _errors_of(problem: Problem, found: Fitted, names: list[str], voxels: np.ndarray) -> np.ndarray:
    """Standard errors (P, B) of the parameters ``names`` at ``voxels``; NaN where they cannot be told."""
    base = {name: found.values[name][voxels] for name in problem.model.units}
    delays = found.delays[voxels]
    jacobian = []
    for name in names:
        size = 1e-4 * np.maximum(np.abs(base[name]), 1e-4)
        sides = []
        for sign in (1.0, -1.0):
            with np.errstate(over="ignore", invalid="ignore"):  # a step across 0 has no curve: NaN
                kernel = problem.model.kernel({**base, name: base[name] + sign * size})
                rows = np.stack([kernel.p1, kernel.p2, kernel.k, kernel.k2])
                sides.append(predict_kernels(problem, rows, delays, problem.times_min))
        jacobian.append((sides[0] - sides[1]) / (2.0 * size[:, None]))
    j = np.stack(jacobian, axis=2)  # (B, T, P)
    normal = np.einsum("ntp,ntq->npq", j, j)
    scale = np.sqrt(np.einsum("npp->np", normal))
    scale[scale == 0.0] = np.nan
    scaled = normal / (scale[:, :, None] * scale[:, None, :])
    good = np.isfinite(scaled).all(axis=(1, 2))
    inverse = np.full_like(scaled, np.nan)
    inverse[good] = np.linalg.pinv(scaled[good], hermitian=True)
    freedom = len(problem.times_min) - len(names)
    noise = found.rss[voxels] / freedom if freedom > 0 else np.full(len(voxels), np.nan)
    return np.asarray(np.sqrt(noise[:, None] * np.einsum("npp->np", inverse) / scale**2).T)
