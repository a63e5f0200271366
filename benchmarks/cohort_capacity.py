"""CPU time and memory of one case of each job as a cohort's worker runs it: part ``capacity`` of ``benchmarks.cohort``.

Each job runs in a process of its own, one thread, on two simulated cases one after the other; the second is measured,
since imports are over by then. The peak of memory is of the whole process.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bonequant.batch import output, read_manifest, task
from bonequant.batch.fingerprint import code_hash

T1 = {"t1_s": 0.8, "relaxivity": 5.2}


def _marrow(size: str) -> Callable[[Path, int], dict[str, object]]:
    def write(folder: Path, seed: int) -> dict[str, object]:
        from bonequant.phantom import preset, simulate_patient, write_patient

        write_patient(simulate_patient(preset(size, seed=seed)), folder)
        factor = json.loads((folder / "truth.json").read_text())["calibration_factor_cps_per_mbq"]
        return {
            "spect": folder / "SPECT" / "recon.dcm",
            "ct": folder / "CT",
            "fact.calibration_factor_cps_per_mbq": factor,
        }

    return write


def _radiomics(folder: Path, seed: int) -> dict[str, object]:
    cells = _marrow("small")(folder, seed)
    return {**cells, "find": "yes"}


def _spine(size: str, dates: bool) -> Callable[[Path, int], dict[str, object]]:
    def write(folder: Path, seed: int) -> dict[str, object]:
        from bonequant.io import write_segmentation
        from bonequant.phantom import simulate_spine, spine_follow_up, spine_preset, write_dynamic_series

        scan = simulate_spine(spine_preset(size, seed=seed))
        write_dynamic_series(scan.series, folder / "before" / "DCE")
        masks = {"lesion_1": scan.masks["lesion_1"], "reference": scan.masks["vertebra_4"]}
        write_segmentation(masks, folder / "masks.seg.nrrd")
        if not dates:
            return {"series": folder / "before" / "DCE", "masks": folder / "masks.seg.nrrd"}
        write_dynamic_series(simulate_spine(spine_follow_up(scan.settings)).series, folder / "after" / "DCE")
        return {"before": folder / "before", "after": folder / "after", "masks": folder / "masks.seg.nrrd"}

    return write


def _liver(size: str) -> Callable[[Path, int], dict[str, object]]:
    def write(folder: Path, seed: int) -> dict[str, object]:
        from bonequant.io import write_dynamic, write_segmentation
        from bonequant.phantom import liver_preset, simulate_liver

        folder.mkdir(parents=True)
        scan = simulate_liver(liver_preset(size, seed=seed))
        write_dynamic(scan.series, folder / "ct.seq.nrrd")
        names = ("aorta", "portal_vein", "spleen", "liver")
        write_segmentation({name: scan.masks[name] for name in names}, folder / "masks.seg.nrrd")
        return {"ct": folder / "ct.seq.nrrd", "masks": folder / "masks.seg.nrrd"}

    return write


# job, what the case is, how it is written, settings
CASES: dict[str, tuple[str, Callable[[Path, int], dict[str, object]], dict[str, Any]]] = {
    "marrow small": ("marrow", _marrow("small"), {"tracer": "mdp"}),
    "marrow clinical": ("marrow", _marrow("demo"), {"tracer": "mdp"}),
    "radiomics small": ("radiomics", _radiomics, {}),
    "dce small": ("dce", _spine("small", False), {"signal": T1}),
    "dce clinical": ("dce", _spine("clinical", False), {"signal": T1}),
    "liver small": ("liver", _liver("small"), {}),
    "liver clinical": ("liver", _liver("clinical"), {}),
    "response small": ("response", _spine("small", True), {"dce": {"signal": T1}}),
    "response clinical": ("response", _spine("clinical", True), {"dce": {"signal": T1}}),
}


def capacity(chosen: tuple[str, ...] = ()) -> bool:
    """Print the table; False where a case failed."""
    print(f"{'case':<20}{'CPU s':>8}{'wall s':>8}{'per core-hour':>15}{'peak GB':>9}", flush=True)
    good = True
    for name in chosen or CASES:
        with tempfile.TemporaryDirectory(prefix="bonequant-capacity-") as work:
            for action in ("write", "run"):  # writing must not count for the peak
                command = [sys.executable, "-m", "benchmarks.cohort_capacity", action, name, work]
                ended = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
        if ended.returncode:
            print(f"{name:<20}  failed {ended.stdout.decode().strip()}", flush=True)
            good = False
            continue
        found = json.loads(ended.stdout.splitlines()[-1])
        print(
            f"{name:<20}{found['cpu_s']:>8.1f}{found['wall_s']:>8.1f}{3600 / found['cpu_s']:>15.0f}"
            f"{found['peak_gb']:>9.2f}",
            flush=True,
        )
    return good


def _write(name: str, work: Path) -> None:
    _, write, _ = CASES[name]
    rows = [{"patient": f"P{seed}", **write(work / f"P{seed}", seed)} for seed in (1, 2)]
    lines = [",".join(rows[0]), *(",".join(map(str, row.values())) for row in rows)]
    (work / "manifest.csv").write_text("\n".join(lines) + "\n")


def _run(name: str, work: Path) -> int:
    job, _, settings = CASES[name]
    cases = read_manifest(work / "manifest.csv", job, settings=settings).checked().cases
    out = output.prepare(work / "out", job)
    output.begin_run(out, job, "run", [case.key for case in cases])
    order = task.Order("run", job, out, 1, code_hash(), False)
    for case in cases:
        cpu, wall = time.process_time(), time.perf_counter()
        outcome = task.process(case, order)
        if outcome.status != "done":
            print(outcome.reason)
            return 1
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(json.dumps({"cpu_s": cpu, "wall_s": wall, "peak_gb": peak}))
    return 0


if __name__ == "__main__":
    what, which, where = sys.argv[1:]
    sys.exit(_run(which, Path(where)) if what == "run" else _write(which, Path(where)))
