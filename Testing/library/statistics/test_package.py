"""What the package promises as a whole: its public names, and that it needs no optional package."""

from __future__ import annotations

import subprocess
import sys

import bonequant.statistics as statistics

PROMISED = {
    *("delong", "roc", "youden", "wilson", "clopper_pearson", "mann_whitney", "wilcoxon", "icc", "bland_altman"),
    *("weighted_kappa", "decision_curve", "calibration", "mcnemar", "find_correlation"),
}


def test_public_names_are_functions_with_docstrings() -> None:
    assert set(statistics.__all__) >= PROMISED
    for name in statistics.__all__:
        public = getattr(statistics, name)
        assert callable(public), name
        assert public.__doc__ and public.__module__.startswith("bonequant.statistics."), name


def test_numpy_and_scipy_are_enough() -> None:
    """Importing, and running what reports need, touches neither scikit-learn nor statsmodels nor pandas."""
    program = """
import sys
import bonequant.statistics as s
assert "scipy.stats" not in sys.modules, "scipy.stats costs half a second; import it where it is used"
y, p = [0, 1, 0, 1, 1, 0, 1, 0], [.2, .7, .4, .3, .9, .1, .6, .5]
s.delong(y, p), s.calibration(y, p), s.decision_curve(y, p), s.brier(y, p), s.youden_optimism(y, p, resamples=20)
s.weighted_kappa(y, y), s.icc([[1, 2], [2, 4], [5, 3]]), s.mann_whitney(p, y), s.compare_groups(p, y)
s.passing_bablok([1, 2, 3, 4.5, 5], [1, 2.2, 3, 4.1, 5]), s.compare_table([[3, 4], [5, 6]])
heavy = {"sklearn", "statsmodels", "pandas", "matplotlib"} & {name.split(".")[0] for name in sys.modules}
assert not heavy, heavy
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
