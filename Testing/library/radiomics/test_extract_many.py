"""Many regions: the same numbers by any number of processes, errors that name the case, progress that can stop."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.errors import Cancelled, InputError
from bonequant.radiomics import IbsiSettings, RadiomicsSettings, extract, extract_many
from bonequant.radiomics.features import Features

SETTINGS = RadiomicsSettings(
    families=("mazda", "ibsi"),
    ibsi=IbsiSettings(
        image_types=("original", "wavelet", "log"), log_sigma_mm=(1.0,), discretisation="fixed_bin_number"
    ),
)


def case(seed: int) -> tuple[sitk.Image, sitk.Image]:
    random = np.random.default_rng(seed)
    image = sitk.GetImageFromArray(random.normal(size=(14, 24, 24)))
    mask = np.zeros((14, 24, 24), np.uint8)
    mask[4:10, 6 : 14 + seed, 7:17] = 1
    return image, sitk.GetImageFromArray(mask)


def test_the_count_of_processes_changes_no_digit():
    cases = [case(seed) for seed in range(3)]
    alone, together = extract_many(cases, SETTINGS), extract_many(iter(cases), SETTINGS, workers=2)
    for one, other in zip([*alone, alone[1]], [*together, extract(*cases[1], SETTINGS)], strict=True):
        assert list(one) == list(other)
        np.testing.assert_array_equal(list(one.values()), list(other.values()))  # NaN equals NaN
    assert all(isinstance(features, Features) for features in together)


def test_missing_reasons_come_back_from_a_process():
    image, mask = case(0)
    found = extract_many([(image, mask)], workers=2)[0]
    assert found.missing
    assert found.missing == extract(image, mask).missing


def test_an_error_names_its_case():
    cases = [case(0), (case(1)[0], case(1)[1] * 0)]
    for workers in (1, 2):
        with pytest.raises(InputError, match=r"^Case 2: The mask is empty"):
            extract_many(cases, workers=workers)


def test_progress_counts_and_cancels():
    seen: list[float] = []
    extract_many([case(0), case(1)], progress=lambda fraction, message: seen.append(fraction))
    assert seen == [0.5, 1.0]

    def stop(fraction: float, message: str) -> None:
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        extract_many([case(0), case(1)], progress=stop)


def test_a_script_without_a_guard_may_use_processes(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import numpy as np, SimpleITK as sitk\n"
        "from bonequant.radiomics import extract_many\n"
        "image = sitk.GetImageFromArray(np.random.default_rng(0).normal(size=(3, 20, 20)))\n"
        "mask = sitk.GetImageFromArray(np.ones((3, 20, 20), np.uint8))\n"
        "print('run', len(extract_many([(image, mask)] * 3, workers=2)))\n"
    )
    run = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False, timeout=120)
    assert run.returncode == 0, run.stderr
    assert run.stdout == "run 3\n"
