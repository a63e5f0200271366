"""Two real scans from DICOM to numbers, beside an independent computation: ``python -m benchmarks real_scans``.

``spect_lu177`` SCAN_001: 177Lu SPECT stored as PET, DecayCorrection ADMIN, lesions as RTSTRUCT. The reference was
computed apart from this library (contours filled by voxel centres). ``petct_acrin``: PET/CT, JPEG-LS, DecayCorrection
START; the factors are worked out here by hand from the header's numbers. Time and memory are of the SPECT's whole job.
"""

from __future__ import annotations

import os
import resource
import time
from pathlib import Path

import numpy as np
from bonequant.io import load
from bonequant.spect import suv_factors
from bonequant.studies import marrow_perfusion as job

DATA = Path(os.environ.get("BONEQUANT_TEST_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
LESIONS = {  # volume mL, mean kBq/mL, highest kBq/mL, SUVmean
    "lesion1": (106.98, 1142.66, 2252.8, 14.736),
    "lesion2": (2.86, 1474.73, 2281.2, 19.018),
}
IN_FIELD_MBQ = 1350.55


def main(arguments: list[str]) -> None:
    """Print the tables; takes no argument."""
    print(f"{'scan':<13}{'quantity':<34}{'reference':>12}{'here':>14}{'error %':>9}")
    _lutetium()
    _fdg()


def _lutetium() -> None:
    folder = DATA / "spect_lu177" / "SCAN_001"
    start = time.perf_counter()
    inputs = job.read_inputs(folder / "image", masks=[folder / "mask"])
    result = job.run(inputs)
    seconds = time.perf_counter() - start
    factors = result.factors
    assert factors is not None
    rows = {row["region"].split()[0]: row for row in result.rows}
    per_kbq = factors.scale * 1000.0
    for name, (volume, mean, highest, suv) in LESIONS.items():
        row = rows[name]
        _line("SCAN_001", f"{name}, volume mL", volume, row["volume_ml"])
        _line("SCAN_001", f"{name}, mean kBq/mL", mean, row["mean"] / per_kbq)
        _line("SCAN_001", f"{name}, highest kBq/mL", highest, row["max"] / per_kbq)
        _line("SCAN_001", f"{name}, SUVmean", suv, row["mean"])
    volume = inputs.functional
    total = float(volume.array.sum(dtype=np.float64)) * volume.voxel_volume_ml / 1e6
    _line("SCAN_001", "activity in the field MBq", IN_FIELD_MBQ, total)
    started = suv_factors(volume.acquisition.with_typed(decay_correction="START"))
    next_day = 2.0 ** (86400.0 / factors.half_life_s)
    print(f"SCAN_001     decay correction found: {factors.decay_correction}")
    print(f"SCAN_001     SUV too high where ADMIN is taken as START: {100 * (started.scale / factors.scale - 1):.2f} %")
    print(f"SCAN_001     the same, scanned a day later: {100 * (started.scale / factors.scale * next_day - 1):.2f} %")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
    print(f"SCAN_001     {seconds:.1f} s, {memory:.0f} MB at most")


def _fdg() -> None:
    factors = suv_factors(load(DATA / "petct_acrin" / "PT").acquisition)
    activity = 588_802_304 * 2.0 ** (-9527.0 / 6588.0)  # injected 07:21:00, scanned from 09:59:47
    _line("petct_acrin", "reference activity MBq", activity / 1e6, factors.reference_activity_bq / 1e6)
    _line("petct_acrin", "SUVbw per kBq/mL", 91_000.0 / activity * 1000.0, factors.scale * 1000.0)


def _line(scan: str, quantity: str, reference: float, here: float) -> None:
    print(f"{scan:<13}{quantity:<34}{reference:>12.6g}{here:>14.7g}{100 * (here / reference - 1):>9.3f}")
