"""Mutated input files against every reader: ``python -m benchmarks fuzz [COUNT] [--seed N] [--only KIND]``.

Seeds are small sound files of every kind: DICOM (CT, MR and PET slices, NM, enhanced, RTSTRUCT, SEG), NRRD, NIfTI,
MetaImage, Slicer segmentations, transforms, models, JSON and CSV of every job. Each input is one of them with bytes,
numbers or words changed, parts cut out, repeated, nested or broken off. A reader must end in a result or a
BoneQuantError within 10 s and 2 GB.

The readers run in a process of their own: a crash of a native library, a hang or a flood of memory costs one input,
which is kept (``--keep FOLDER``) and counted. The exit code is 1 where there is any.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import resource
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

LIMIT_S, LIMIT_BYTES = 10, 2 << 30
KINDS = ("dicom", "series", "nrrd", "nifti", "meta", "seg", "json", "csv", "tables", "documents", "model", "transform")


class Hang(BaseException):
    """A reader ran for more than LIMIT_S; no reader may catch it."""


def write_seeds(folder: Path) -> None:
    """Sound files by kind, in folders of the kind's name."""
    from benchmarks import fuzz_seeds

    for kind, write in fuzz_seeds.WRITERS.items():
        (folder / kind).mkdir(parents=True)
        write(folder / kind)


def mutated(data: bytes, chance: random.Random) -> bytes:
    """One damaged copy."""
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        _CHANGES[chance.randrange(len(_CHANGES))](changed, chance)
    return bytes(changed)


def _flip(data: bytearray, chance: random.Random) -> None:
    if data:
        data[_place(data, chance)] = chance.randrange(256)


def _cut(data: bytearray, chance: random.Random) -> None:
    start = _place(data, chance)
    del data[start : start + chance.choice((1, 2, 4, 8, 64, 512))]


def _break_off(data: bytearray, chance: random.Random) -> None:
    if chance.random() < 0.3:
        del data[chance.randrange(len(data) + 1) :]


def _repeat(data: bytearray, chance: random.Random) -> None:
    start = _place(data, chance)
    part = data[start : start + chance.choice((1, 2, 8, 64, 512))]
    data[start:start] = part * chance.choice((1, 2, 20))


def _extreme(data: bytearray, chance: random.Random) -> None:
    """A binary number at its limits: a length, a count, an offset."""
    start = _place(data, chance)
    value = chance.choice(
        (b"\xff" * 4, b"\x00" * 4, b"\xff\xff\xff\x7f", b"\x00\x00\x00\x80", b"\xff\xff", b"\x00" * 8)
    )
    data[start : start + len(value)] = value


def _number(data: bytearray, chance: random.Random) -> None:
    """A number written as text becomes an absurd one."""
    found = list(re.finditer(rb"-?\d+(\.\d+)?", bytes(data[:20_000])))
    if found:
        chosen = chance.choice(found)
        absurd = (b"0", b"-1", b"99999999999", b"1e308", b"nan", b"inf", b"", b"65536", b"1e-7", b"x", b"1\\2\\3")
        absurd += (b"9" * 5000,)
        data[chosen.start() : chosen.end()] = chance.choice(absurd)


def _word(data: bytearray, chance: random.Random) -> None:
    """A word becomes another word of the same file, or one of markup."""
    found = list(re.finditer(rb"[A-Za-z_]{3,}", bytes(data[:20_000])))
    if found:
        a, b = chance.choice(found), chance.choice(found)
        word = (
            b.group()
            if chance.random() < 0.6
            else chance.choice((b"null", b"[[[[", b"{}", b'"', b"\0", b"../..", b"=1"))
        )
        data[a.start() : a.end()] = word


def _nest(data: bytearray, chance: random.Random) -> None:
    """Brackets beyond every reader's depth."""
    if chance.random() < 0.1:
        start = _place(data, chance)
        data[start:start] = chance.choice((b"[", b'{"a":', b"(")) * 100_000


_CHANGES = (_flip, _flip, _cut, _break_off, _repeat, _extreme, _nest, _number, _number, _word)


def _place(data: bytearray, chance: random.Random) -> int:
    """A position, most often in the header."""
    reach = len(data) if chance.random() < 0.3 else min(len(data), chance.choice((400, 1500, 6000)))
    return chance.randrange(reach) if reach else 0


def make(folder: Path, seeds: Path, kind: str, number: int, seed: int) -> Path:
    """Write input ``number`` of ``kind`` into ``folder``, the same for the same seed; returns what is to be read."""
    chance = random.Random(f"{seed} {kind} {number}")
    entries = sorted(entry for entry in (seeds / kind).iterdir())
    chosen = chance.choice(entries)
    if chosen.is_file():
        target = folder / chosen.name
        target.write_bytes(mutated(chosen.read_bytes(), chance))
        return target
    target = folder / chosen.name
    target.mkdir(exist_ok=True)
    files = sorted(chosen.iterdir())
    spoilt = chance.choice(files)
    for file in files:
        data = file.read_bytes()
        (target / file.name).write_bytes(mutated(data, chance) if file == spoilt else data)
    return target


def read_all(path: Path, kind: str) -> Counter[str]:
    """Give ``path`` to every reader of its kind; counts of results and clear errors. Anything else is raised."""
    from bonequant.errors import BoneQuantError

    from benchmarks.fuzz_seeds import READERS

    ends: Counter[str] = Counter()
    for read in READERS[kind]:
        try:
            read(path)
            ends["results"] += 1
        except BoneQuantError:
            ends["clear errors"] += 1
    return ends


def child(seeds: Path, kind: str, start: int, stop: int, seed: int) -> None:
    """Read inputs ``start`` to ``stop``; one line of JSON when each begins and one when it ends."""
    resource.setrlimit(resource.RLIMIT_AS, (LIMIT_BYTES + _used_bytes(), resource.RLIM_INFINITY))

    def stop_it(number: int, frame: FrameType | None) -> None:
        raise Hang

    signal.signal(signal.SIGALRM, stop_it)
    read_all(next((seeds / kind).iterdir()), kind)  # imports do not count
    for number in range(start, stop):
        with tempfile.TemporaryDirectory(prefix="bonequant-fuzz-") as folder:
            path = make(Path(folder), seeds, kind, number, seed)
            print(json.dumps({"begins": number}), flush=True)
            begin, found = time.perf_counter(), {"ends": number, "defect": ""}
            signal.alarm(LIMIT_S)
            try:
                found |= read_all(path, kind)
            except Hang:
                found["defect"] = "hang"
            except Exception as error:
                found["defect"] = _where(error)
            finally:
                signal.alarm(0)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            print(json.dumps({**found, "seconds": time.perf_counter() - begin, "peak_mb": peak / 1024}), flush=True)


def _where(error: BaseException) -> str:
    """``TypeError in load_masks, masks.py:12: ...``."""
    at = error.__traceback__
    inner = ""
    while at is not None:
        file = Path(at.tb_frame.f_code.co_filename)
        if "bonequant" in file.parts:
            inner = f"{at.tb_frame.f_code.co_name}, {file.name}:{at.tb_lineno}"
        at = at.tb_next
    return f"{type(error).__name__} in {inner}: {str(error)[:100]}"


def run(kind: str, count: int, seed: int, seeds: Path, report: Callable[[str], Any]) -> dict[str, Any]:
    """Read ``count`` inputs of a kind; totals, and defects by input number."""
    totals: dict[str, Any] = {
        "results": 0,
        "clear errors": 0,
        "slowest_s": 0.0,
        "peak_mb": 0.0,
        "slowest": 0,
        "defects": {},
    }
    start = 0
    while start < count:
        start = _one_child(kind, start, count, seed, seeds, totals)
    for number, defect in totals["defects"].items():
        report(f"  {kind} input {number}: {defect}")
    return totals


def _one_child(kind: str, start: int, stop: int, seed: int, seeds: Path, totals: dict[str, Any]) -> int:
    """Follow one process until it has read all, or died; returns the number of the next input."""
    arguments = ["--child", kind, str(start), str(stop), "--seed", str(seed), "--seeds", str(seeds)]
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.fuzz", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    number, defect = start - 1, ""
    with process, process.stdout as stream:
        while True:
            ready, _, _ = select.select([stream], [], [], 6 * LIMIT_S)
            line = stream.readline() if ready else ""
            if not ready:
                process.kill()
                defect = "hang in native code"
            if not line:
                break
            found = json.loads(line)
            if "begins" in found:
                number, defect = found["begins"], "crash"
                continue
            defect = ""
            for name in ("results", "clear errors"):
                totals[name] += found.get(name, 0)
            if found["seconds"] > totals["slowest_s"]:
                totals["slowest_s"], totals["slowest"] = found["seconds"], found["ends"]
            totals["peak_mb"] = max(totals["peak_mb"], found["peak_mb"])
            if found["defect"]:
                totals["defects"][number] = found["defect"]
    if number < start:
        raise RuntimeError(f"the reading process for {kind} did not start")
    if defect:
        totals["defects"][number] = defect if "hang" in defect else f"crash, exit code {process.returncode}"
    return number + 1


def _used_bytes() -> int:
    """Address space of this process."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks fuzz", description=__doc__.splitlines()[0])
    parser.add_argument("count", type=int, nargs="?", default=5000, help="inputs, shared by the kinds")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=KINDS)
    parser.add_argument("--keep", type=Path, help="folder for the inputs that found a defect")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--seeds", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args(argv)
    if given.child:
        child(given.seeds, given.child[0], int(given.child[1]), int(given.child[2]), given.seed)
        return 0
    kinds = [given.only] if given.only else list(KINDS)
    defects = 0
    print(f"{'kind':<11}{'inputs':>8}{'results':>9}{'clear errors':>14}{'defects':>9}{'slowest s':>11}{'peak MB':>9}")
    with tempfile.TemporaryDirectory(prefix="bonequant-seeds-") as folder:
        seeds = Path(folder) / "seeds"
        write_seeds(seeds)
        for place, kind in enumerate(kinds):
            count = given.count // len(kinds) + (place < given.count % len(kinds))
            lines: list[str] = []
            found = run(kind, count, given.seed, seeds, lines.append)
            print(
                f"{kind:<11}{count:>8}{found['results']:>9}{found['clear errors']:>14}{len(found['defects']):>9}"
                f"{found['slowest_s']:>11.2f}{found['peak_mb']:>9.0f}   input {found['slowest']}",
                *lines,
                sep="\n" if lines else "",
                flush=True,
            )
            defects += len(found["defects"])
            for number in found["defects"] if given.keep else ():
                kept = given.keep / f"{kind}-{number}"
                kept.mkdir(parents=True, exist_ok=True)
                make(kept, seeds, kind, number, given.seed)
    print("a result or a clear error each" if not defects else f"{defects} defects")
    return int(defects > 0)


if __name__ == "__main__":
    sys.exit(main())
