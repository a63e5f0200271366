"""Without pyradiomics its classes say how to get it, and everything else works."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys
sys.modules["radiomics"] = None  # what an import then meets: ModuleNotFoundError
import numpy as np, SimpleITK as sitk
import bonequant
from bonequant.errors import MissingDependencyError
from bonequant.radiomics import *

image = sitk.GetImageFromArray(np.random.default_rng(0).normal(100, 20, (5, 40, 40)))
mask = sitk.GetImageFromArray(np.ones((5, 40, 40), np.uint8))
assert len(extract(image, mask)) == 279
own = ("firstorder", "localintensity", "statistics", "histogram", "ivh", "gldzm")
ibsi = IbsiSettings(classes=own, bin_width=5.0)
features = extract(image, mask, RadiomicsSettings(families=("mazda", "ibsi"), ibsi=ibsi))
assert not features.missing and len(features) == 279 + 18 + 2 + 3 + 23 + 6 + 16, len(features)
for name in ("shape", "glcm", "ngldm", "morphology"):
    try:
        extract(image, mask, RadiomicsSettings(families=("ibsi",), ibsi=IbsiSettings(classes=(name,))))
    except MissingDependencyError as error:
        assert "pip install --no-build-isolation pyradiomics==3.0.1" in str(error), error
    else:
        raise AssertionError(name)
print("done")
"""


def test_everything_else_works_without_pyradiomics():
    run = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == "done"


def test_nothing_heavy_is_imported_before_it_is_used():
    heavy = ("radiomics", "pywt", "sklearn", "pandas", "matplotlib")
    code = f"import sys, bonequant.radiomics; print([name for name in {heavy} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
