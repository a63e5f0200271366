"""A cohort of simulated patients through the marrow job: ``python -m benchmarks cohort [PART ...] [options]``.

Parts: ``speed`` (two workers beside one, same threads, and the memory of a worker over the run), ``scale`` (cost per
patient at two sizes of cohort), ``scheduler`` (a scheduler and workers of their own, one of them killed in the middle),
``kill`` (the whole run killed at random moments and continued; its tables beside those of an undisturbed run) and
``capacity`` (CPU time and memory of a case of each job). Patients are the phantom's small preset, simulated once into
``--work``; ``scale`` takes tiny ones (a SPECT of 12 voxels a side, a drawn region), with which the engine's own cost
weighs most, unless ``--small`` is given. All parts take about an hour on two cores.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

TABLES = ("cohort.csv", "cohort.parquet", "patients.csv", "patients.parquet")
OPTIONS = ("--job", "marrow", "--set", "tracer=mdp")
PARTS = ("speed", "scale", "scheduler", "kill", "capacity")


def simulate(folder: Path, count: int) -> None:
    """``count`` small patients below ``folder``; those that are there stay."""
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    due = [number for number in range(1, count + 1) if not (folder / f"P{number:04d}" / "truth.json").exists()]
    if due:
        print(f"simulating {len(due)} patients", flush=True)
        with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
            list(pool.map(_simulate_one, [folder] * len(due), due))


def _simulate_one(folder: Path, number: int) -> None:
    from bonequant.phantom import preset, simulate_patient, write_patient

    write_patient(simulate_patient(preset("small", seed=number)), folder / f"P{number:04d}")


def write_manifest(work: Path, count: int, simulated: int) -> Path:
    """A manifest of ``count`` rows; beyond the simulated patients they come again under further pseudonyms."""
    path = work / f"manifest-{count}.csv"
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["patient", "spect", "ct", "fact.calibration_factor_cps_per_mbq"])
        for number in range(1, count + 1):
            source = work / "patients" / f"P{(number - 1) % simulated + 1:04d}"
            factor = json.loads((source / "truth.json").read_text())["calibration_factor_cps_per_mbq"]
            writer.writerow([f"N{number:04d}", source / "SPECT" / "recon.dcm", source / "CT", repr(factor)])
    return path


def write_tiny_manifest(work: Path, count: int) -> Path:
    """``count`` tiny patients of their own, for the marrow job in the image's own unit."""
    import SimpleITK as sitk
    from bonequant.io import write_volume
    from bonequant.volume import Volume

    path, data = work / f"manifest-{count}.csv", work / f"tiny-{count}"
    data.mkdir()
    region = np.zeros((12, 12, 12), np.uint8)
    region[3:9, 3:9, 3:9] = 1
    lines = ["patient,spect,masks,set.quantity"]
    for number in range(1, count + 1):
        values = np.random.default_rng(number).gamma(4.0, 25.0, region.shape).astype(np.float32)
        image, mask = sitk.GetImageFromArray(values), sitk.GetImageFromArray(region)
        image.SetSpacing((4.0, 4.0, 4.0))
        mask.CopyInformation(image)
        write_volume(Volume(image, modality="NM", unit="counts"), data / f"{number}.nrrd")
        sitk.WriteImage(mask, str(data / f"{number}-masks.nrrd"))
        lines.append(f"N{number:04d},{data.name}/{number}.nrrd,{data.name}/{number}-masks.nrrd,native")
    path.write_text("\n".join(lines) + "\n")
    return path


def cohort(manifest: Path, out: Path, *options: str, check: bool = True) -> float:
    """Run ``bonequant cohort run``; seconds."""
    command = [sys.executable, "-m", "bonequant", "cohort", "run", str(manifest), "--out", str(out), *OPTIONS, *options]
    start = time.perf_counter()
    subprocess.run(command, check=check, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def events(out: Path, event: str = "case") -> list[dict[str, Any]]:
    """Events of the last run."""
    run = json.loads((out / "cohort.json").read_text())["run"]
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines() if line.endswith("}")]
    return [line for line in lines if line["run"] == run and line["event"] == event]


def growth_percent(out: Path) -> tuple[float, float]:
    """Largest growth of a worker's memory (%) from the end of its warm-up to the end of its run, and its MB then.

    Warm-up is a worker's first tenth, at least 5 patients; both ends are medians of 5.
    """
    by_worker: dict[str, list[float]] = {}
    for event in events(out):
        by_worker.setdefault(event["worker"], []).append(event["resident_mb"])
    worst, at_end = -100.0, 0.0
    for values in by_worker.values():
        warm = max(len(values) // 10, 5)
        if len(values) < warm + 10:
            continue
        before, after = float(np.median(values[warm : warm + 5])), float(np.median(values[-5:]))
        worst, at_end = max(worst, 100 * (after / before - 1)), max(at_end, after)
    return worst, at_end


def busy_s(out: Path) -> float:
    """Mean seconds of a patient in its worker."""
    return float(np.mean([event["seconds"] for event in events(out)]))


def speed(work: Path, given: argparse.Namespace) -> bool:
    """Patients per hour of two workers over all patients and of one over the first of them."""
    counts, each, good = {1: min(given.alone, given.patients), 2: given.patients}, {}, True
    for workers, count in counts.items():
        out = work / f"speed-{workers}"
        each[workers] = cohort(write_manifest(work, count, count), out, "--workers", str(workers)) / count
        growth, resident = growth_percent(out)
        good &= growth < 10
        print(
            f"speed: {count} patients, {workers} worker{'s' * (workers > 1)}: {each[workers] * count:.0f} s, "
            f"{3600 / each[workers]:.0f} per hour, {busy_s(out):.2f} s each in the worker, "
            f"{resident:.0f} MB at the end, growth {growth:+.1f} %",
            flush=True,
        )
    same = tables(work / "speed-2")[0].startswith(tables(work / "speed-1")[0])
    ratio = each[1] / each[2]
    print(f"speed: two workers are {ratio:.2f} times as fast as one (1.7 are due); same rows: {same}", flush=True)
    return good and ratio >= 1.7 and same


def scale(work: Path, given: argparse.Namespace) -> bool:
    each = {}
    for count in given.sizes:
        small = given.small
        manifest = (
            write_manifest(work, count, min(given.patients, count)) if small else write_tiny_manifest(work, count)
        )
        seconds = cohort(manifest, work / f"scale-{count}", "--workers", "2")
        each[count] = seconds / count
        growth, resident = growth_percent(work / f"scale-{count}")
        print(
            f"scale: {count} {'small' if small else 'tiny'} patients: {seconds:.0f} s, {each[count]:.3f} s per patient "
            f"of which {busy_s(work / f'scale-{count}') / 2:.3f} in the two workers, {resident:.0f} MB, "
            f"growth {growth:+.1f} %",
            flush=True,
        )
    change = 100 * (each[given.sizes[-1]] / each[given.sizes[0]] - 1)
    print(f"scale: cost per patient changes by {change:+.1f} % (10 % at most)", flush=True)
    return change <= 10


def scheduler(work: Path, given: argparse.Namespace) -> bool:
    """One of two worker programs, with its nanny, is killed when half of the patients are done."""
    manifest, out = write_manifest(work, given.killed, given.killed), work / "scheduler"
    with contextlib.ExitStack() as stack:
        file = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "scheduler.json"
        stack.enter_context(dask_program("dask_scheduler", file, "--port", "0", "--host", "127.0.0.1"))
        workers = [stack.enter_context(dask_program("dask_worker", file, "--nthreads", "1")) for _ in range(2)]
        while not file.exists():
            time.sleep(0.1)
        run = stack.enter_context(started(manifest, out, "--scheduler", json.loads(file.read_text())["address"]))
        wait_for(run, out, given.killed // 2)
        os.killpg(workers[0].pid, signal.SIGKILL)
        code = run.wait()
    counts = Counter(event["case"] for event in events(out))
    lost, twice = given.killed - len(counts), sum(count > 1 for count in counts.values())
    print(f"scheduler: a worker killed after {given.killed // 2} of {given.killed}: exit code {code}, ", end="")
    print(f"lost {lost}, twice {twice}", flush=True)
    return code == 0 and lost == twice == 0


def kill(work: Path, given: argparse.Namespace) -> bool:
    """Ten runs killed with all their workers at random moments, each then continued to its end."""
    manifest, whole = write_manifest(work, given.killed, given.killed), work / "whole"
    seconds = cohort(manifest, whole, "--workers", "2")
    chance, same, computed = random.Random(1), 0, []
    for number in range(given.kills):
        out, moment = work / f"killed-{number}", chance.uniform(0.02, 0.98) * seconds
        with started(manifest, out, "--workers", "2") as run:
            with contextlib.suppress(subprocess.TimeoutExpired):
                run.wait(moment)
            run.kill()
        left = len(list((out / "patients").iterdir())) if (out / "patients").exists() else 0
        cohort(manifest, out, "--workers", "2")
        computed.append(sum(event["status"] == "done" for event in events(out)))
        same += tables(out) == tables(whole)
        print(f"kill: at {moment:.1f} s with {left} done, {computed[-1]} computed by the next run", flush=True)
    print(f"kill: {same} of {given.kills} tables are the undisturbed run's, byte for byte", flush=True)
    return same == given.kills


def all_jobs(work: Path, given: argparse.Namespace) -> bool:
    from benchmarks.cohort_capacity import capacity

    return capacity()


def tables(out: Path) -> list[bytes]:
    return [(out / name).read_bytes() for name in TABLES]


@contextlib.contextmanager
def started(manifest: Path, out: Path, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "bonequant", "cohort", "run", str(manifest), "--out", str(out), *OPTIONS, *options]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


@contextlib.contextmanager
def dask_program(name: str, file: Path, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """A scheduler or worker in a process group of its own."""
    command = [sys.executable, "-m", f"distributed.cli.{name}", *options, "--scheduler-file", str(file)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for(run: subprocess.Popen[bytes], out: Path, count: int) -> None:
    """Until ``count`` cases have ended, or the run has."""
    while run.poll() is None:
        if (out / "log.jsonl").exists() and (out / "cohort.json").exists() and len(events(out)) >= count:
            return
        time.sleep(0.2)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks cohort", description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", help=f"any of {', '.join(PARTS)}; all of them by default")
    parser.add_argument("--patients", type=int, default=200, help="simulated, for speed and scale")
    parser.add_argument("--alone", type=int, default=200, help="of these, for the one worker of speed")
    parser.add_argument("--sizes", type=int, nargs=2, default=(50, 1000), help="of the cohorts for scale")
    parser.add_argument("--small", action="store_true", help="scale: simulated patients in place of tiny ones")
    parser.add_argument("--killed", type=int, default=12, help="patients for scheduler and kill")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--work", type=Path, help="folder to keep patients and results in")
    given = parser.parse_args(argv)
    if unknown := set(given.parts) - set(PARTS):
        parser.error(f"no part {', '.join(unknown)}")
    good = []
    with contextlib.ExitStack() as stack:
        place = given.work or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bonequant-cohort-")))
        parts = given.parts or list(PARTS)
        due = [given.patients] if "speed" in parts or ("scale" in parts and given.small) else []
        due += [given.killed] if {"scheduler", "kill"} & set(parts) else []
        if due:
            simulate(place / "patients", max(due))
        place.mkdir(parents=True, exist_ok=True)
        for part in parts:
            with tempfile.TemporaryDirectory(prefix="run-", dir=place) as folder:
                (Path(folder) / "patients").symlink_to(place.resolve() / "patients")
                run = {"speed": speed, "scale": scale, "scheduler": scheduler, "kill": kill, "capacity": all_jobs}[part]
                good.append(run(Path(folder), given))
    return int(not all(good))


if __name__ == "__main__":
    sys.exit(main())
