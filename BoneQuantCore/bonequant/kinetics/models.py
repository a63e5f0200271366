"""The kinetic models, each as two amplitudes of basis curves and up to two rate constants.

With c the (plasma) input, c (x) e(k) its convolution with exp(-k t), amplitudes p1, p2 per minute or as fractions:

    tofts            p1 c(x)e(k)                        p1 = Ktrans, k = kep = Ktrans/ve         Tofts et al. 1999
    extended_tofts   p1 c(x)e(k) + p2 c                 p2 = vp                                  Tofts et al. 1999
    patlak           p1 c(x)e(0) + p2 c                 p1 = PS (Ki), p2 = vp                    Patlak et al. 1983
    one_tissue       p1 c(x)e(k) + p2 c                 p1 = (1-vB) K1, k = k2, p2 = vB          Kety 1951
    2cum             p1 c(x)e(k) + p2 c(x)e(0)          k = (Fp+PS)/vp, p2 = Fp PS/(Fp+PS)       Sourbron & Buckley 2012
    2cxm             p1 c(x)e(k+) + p2 c(x)e(k-)        moments of the two exponentials          Sourbron & Buckley 2012
    dual_input_liver p1 ca(x)e(k) + p2 cp(x)e(k)        p1 = k1a, p2 = k1p, k = k2               Materne et al. 2000

Rates are per minute; flows (fp, alp, pvp, tlp) mL/min/100 mL.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bonequant.errors import SettingsError
from bonequant.kinetics.bounded_pair import Box
from bonequant.kinetics.settings import KineticsSettings

Values = dict[str, np.ndarray]
_PER_MIN, _FLOW = "1/min", "mL/min/100 mL"


@dataclass(frozen=True)
class Kernel:
    """Amplitudes and rates, each (N,); ``k2`` only where there are two rates."""

    p1: np.ndarray
    p2: np.ndarray
    k: np.ndarray
    k2: np.ndarray


@dataclass(frozen=True)
class Model:
    """What the solver and the report need to know of one model.

    Attributes:
        free: parameters that are fitted, with the field of the settings that bounds each.
        units: unit of every reported parameter, in the order of the report.
        rates: number of rate constants that are searched.
        second: what the second amplitude multiplies: "none", "input", "integral", "portal" or "exponential".
        box: bounds of the amplitudes.
        parameters: kernel to the reported parameters.
        kernel: the free parameters back to the kernel.
        undefined: amplitude to the parameters that nothing tells where it is 0: every rate gives the same curve there.
    """

    name: str
    free: dict[str, str]
    units: dict[str, str]
    rates: int
    second: str
    box: Callable[[KineticsSettings], Box]
    parameters: Callable[[Kernel], Values]
    kernel: Callable[[Values], Kernel]
    undefined: dict[str, tuple[str, ...]]

    @property
    def delays(self) -> tuple[str, ...]:
        """Names of the delays that may be fitted."""
        return ("delay_arterial_s", "delay_portal_s") if self.second == "portal" else ("delay_s",)


def model_named(name: str) -> Model:
    """The model ``name``, in any case; "1tcm" is one_tissue. Raises SettingsError for an unknown one."""
    known = "one_tissue" if name.casefold() == "1tcm" else name.casefold()
    if known not in MODELS:
        raise SettingsError(f"No kinetic model named {name!r}. Known: {', '.join(MODELS)}.")
    return MODELS[known]


def _tofts_box(settings: KineticsSettings) -> Box:
    return Box(*settings.ktrans, 0.0, 0.0, *settings.ve)


def _extended_box(settings: KineticsSettings) -> Box:
    return Box(*settings.ktrans, *settings.vp, *settings.ve)


def _tofts(kernel: Kernel) -> Values:
    return {"ktrans": kernel.p1, "ve": kernel.p1 / kernel.k, "kep": kernel.k}


def _extended(kernel: Kernel) -> Values:
    return {"ktrans": kernel.p1, "ve": kernel.p1 / kernel.k, "vp": kernel.p2, "kep": kernel.k}


def _tofts_kernel(values: Values) -> Kernel:
    zero = np.zeros_like(values["ktrans"])
    return Kernel(values["ktrans"], values.get("vp", zero), values["kep"], zero)


def _patlak(kernel: Kernel) -> Values:
    return {"ps": kernel.p1, "vp": kernel.p2}


def _patlak_kernel(values: Values) -> Kernel:
    zero = np.zeros_like(values["ps"])
    return Kernel(values["ps"], values["vp"], zero, zero)


def _one_tissue(kernel: Kernel) -> Values:
    k1 = _ratio(kernel.p1, 1.0 - kernel.p2)
    return {"k1": k1, "k2": kernel.k, "vb": kernel.p2, "vt": k1 / kernel.k}


def _one_tissue_kernel(values: Values) -> Kernel:
    return Kernel((1.0 - values["vb"]) * values["k1"], values["vb"], values["k2"], np.zeros_like(values["k1"]))


def _two_cum(kernel: Kernel) -> Values:
    flow = kernel.p1 + kernel.p2
    ps = _ratio(flow * kernel.p2, kernel.p1)
    return {"fp": 100.0 * flow, "ps": ps, "vp": (flow + ps) / kernel.k, "ktrans": kernel.p2}


def _two_cum_kernel(values: Values) -> Kernel:
    flow, ps = values["fp"] / 100.0, values["ps"]
    extracted = _ratio(flow * ps, flow + ps)
    return Kernel(flow - extracted, extracted, _ratio(flow + ps, values["vp"]), np.zeros_like(ps))


def _two_cxm(kernel: Kernel) -> Values:
    """Flow, mean transit time and initial slope of the impulse response give Fp, vp + ve and vp; see the tests."""
    flow = kernel.p1 + kernel.p2
    vp = _ratio(flow * flow, kernel.p1 * kernel.k + kernel.p2 * kernel.k2)
    ve = np.maximum(kernel.p1 / kernel.k + kernel.p2 / kernel.k2 - vp, 0.0)
    ps = _ratio(kernel.k * kernel.k2 * ve * vp, flow)
    return {"fp": 100.0 * flow, "ps": ps, "vp": vp, "ve": ve, "ktrans": _ratio(flow * ps, flow + ps)}


def _two_cxm_kernel(values: Values) -> Kernel:
    flow, ps, vp, ve = values["fp"] / 100.0, values["ps"], values["vp"], values["ve"]
    out_plasma, out_tissue = _ratio(flow + ps, vp), _ratio(ps, ve)
    with np.errstate(invalid="ignore"):  # no volume at all: its rates are infinite, and the kernel NaN
        half = (out_plasma + out_tissue) / 2.0
        root = np.sqrt(np.maximum(half * half - out_tissue * _ratio(flow, vp), 0.0))
        fast, slow = half + root, _ratio(out_tissue * _ratio(flow, vp), half + root)
    # p1 + p2 = Fp and p1 fast + p2 slow = Fp^2 / vp
    p1 = _ratio(flow * _ratio(flow, vp) - flow * slow, fast - slow)
    return Kernel(p1, flow - p1, fast, slow)


def _liver(kernel: Kernel) -> Values:
    total = kernel.p1 + kernel.p2
    return {
        "k1a": kernel.p1,
        "k1p": kernel.p2,
        "k2": kernel.k,
        "alp": 100.0 * kernel.p1,
        "pvp": 100.0 * kernel.p2,
        "tlp": 100.0 * total,
        "hpi": 100.0 * _ratio(kernel.p1, total, np.nan),
        "dv": total / kernel.k,
        "mtt_s": 60.0 / kernel.k,
    }


def _liver_kernel(values: Values) -> Kernel:
    return Kernel(values["k1a"], values["k1p"], values["k2"], np.zeros_like(values["k2"]))


def _ratio(a: np.ndarray, b: np.ndarray, otherwise: float = 0.0) -> np.ndarray:
    """a / b, and ``otherwise`` where both are 0; infinite where only b is."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((a == 0.0) & (b == 0.0), otherwise, a / b)


MODELS: dict[str, Model] = {
    model.name: model
    for model in (
        Model(
            "tofts",
            {"ktrans": "ktrans", "kep": "rate"},
            {"ktrans": _PER_MIN, "ve": "", "kep": _PER_MIN},
            1,
            "none",
            _tofts_box,
            _tofts,
            _tofts_kernel,
            {"ktrans": ("ve", "kep")},
        ),
        Model(
            "extended_tofts",
            {"ktrans": "ktrans", "kep": "rate", "vp": "vp"},
            {"ktrans": _PER_MIN, "ve": "", "vp": "", "kep": _PER_MIN},
            1,
            "input",
            _extended_box,
            _extended,
            _tofts_kernel,
            {"ktrans": ("ve", "kep")},
        ),
        Model(
            "patlak",
            {"ps": "ps", "vp": "vp"},
            {"ps": _PER_MIN, "vp": ""},
            0,
            "input",
            lambda settings: Box(*settings.ps, *settings.vp),
            _patlak,
            _patlak_kernel,
            {},
        ),
        Model(
            "one_tissue",
            {"k1": "k1", "k2": "rate", "vb": "vb"},
            {"k1": _PER_MIN, "k2": _PER_MIN, "vb": "", "vt": ""},
            1,
            "input",
            lambda settings: Box(*settings.k1, *settings.vb),
            _one_tissue,
            _one_tissue_kernel,
            {"k1": ("k2", "vt")},
        ),
        Model(
            "2cum",
            {"fp": "fp", "ps": "ps", "vp": "vp"},
            {"fp": _FLOW, "ps": _PER_MIN, "vp": "", "ktrans": _PER_MIN},
            1,
            "integral",
            lambda settings: Box(0.0, settings.fp[1] / 100, 0.0, settings.fp[1] / 100, 0.0, settings.vp[1]),
            _two_cum,
            _two_cum_kernel,
            {"fp": ("ps", "vp")},
        ),
        Model(
            "2cxm",
            {"fp": "fp", "ps": "ps", "vp": "vp", "ve": "ve"},
            {"fp": _FLOW, "ps": _PER_MIN, "vp": "", "ve": "", "ktrans": _PER_MIN},
            2,
            "exponential",
            lambda settings: Box(0.0, settings.fp[1] / 100, 0.0, settings.fp[1] / 100, 0.0, 1.0),
            _two_cxm,
            _two_cxm_kernel,
            {"fp": ("ps", "vp", "ve"), "ps": ("ve",)},
        ),
        Model(
            "dual_input_liver",
            {"k1a": "k1", "k1p": "k1", "k2": "rate"},
            {
                "k1a": _PER_MIN,
                "k1p": _PER_MIN,
                "k2": _PER_MIN,
                "alp": _FLOW,
                "pvp": _FLOW,
                "tlp": _FLOW,
                "hpi": "%",
                "dv": "",
                "mtt_s": "s",
            },
            1,
            "portal",
            lambda settings: Box(*settings.k1, *settings.k1),
            _liver,
            _liver_kernel,
            {"tlp": ("k2", "dv", "mtt_s")},
        ),
    )
}
