"""What DCE Response does in the interface's own thread, and the time from a stroke to the values of both dates:
``python -m benchmarks dce_live [small|clinical]``. Seconds of the clock, and of the processor in brackets."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from bonequant import mrml
from bonequant.mrml.dce_nodes import date_reader, date_to_nodes
from bonequant.mrml.input_nodes import images_of_date, images_to_nodes
from bonequant.mrml.live_curves import LiveCurves
from bonequant.mrml.response_nodes import response_to_nodes
from bonequant.mrml.sequences import frame_images
from bonequant.phantom import simulate_spine, spine_follow_up, spine_preset
from bonequant.studies.dce_perfusion import DceInputs, DceSettings
from bonequant.studies.treatment_response import DateInputs, ResponseInputs, ResponseSettings, run

STROKES = 9


def timed(what: str, work: Callable[[], Any]) -> Any:
    start, used = time.perf_counter(), time.thread_time()
    result = work()
    print(f"{what}: {time.perf_counter() - start:.2f} s ({time.thread_time() - used:.2f} s)")
    return result


def main(arguments: list[str]) -> None:
    for preset in arguments or ("small", "clinical"):
        measure(preset)


def measure(preset: str) -> None:
    before = simulate_spine(spine_preset(preset))
    after = simulate_spine(spine_follow_up(before.settings))
    drawn = {"lesion_1": before.masks["lesion_1"]}
    dates = [
        DateInputs(name, DceInputs(scan.series, t1_map=scan.t1, name=name), lesions=lesions)
        for name, scan, lesions in (("before", before, drawn), ("after", after, {}))
    ]
    result = run(ResponseInputs(dates), ResponseSettings(dce=DceSettings(descriptive=False)))
    nodes = mrml.ResultNodes(mrml.embedded().AddNewNodeByClass("vtkMRMLScriptedModuleNode", "owner"))
    frames = timed(f"{preset}: copying the frames, beside the interface", lambda: frame_images(before.series))
    images = timed(f"{preset}: images to draw on, beside the interface", lambda: images_of_date(dates[0]))
    loaded = timed(f"{preset}: nodes of a loaded series", lambda: date_to_nodes(dates[0], None, frames))
    timed(f"{preset}: nodes of its images", lambda: images_to_nodes(nodes, "before", images))
    read = timed(f"{preset}: looking at a date's nodes", lambda: date_reader("before", loaded["sequence"]))
    timed(f"{preset}: reading the date, beside the interface", read)
    timed(f"{preset}: result of a comparison into the scene", lambda: response_to_nodes(result, nodes))
    outlines, anatomy = mrml.to_node(drawn, "Outlines"), nodes.get("anatomy.after")
    carried = mrml.LivePropagation(outlines, [anatomy]).targets[anatomy.GetID()]
    live, times = LiveCurves(result, nodes), []
    for _ in range(STROKES):
        start = time.perf_counter()
        live.update("before", outlines, ["lesion_1"])
        live.update("after", carried, ["lesion_1"])
        times.append(time.perf_counter() - start)
    print(
        f"{preset}: stroke to values of both dates, median {statistics.median(times):.3f} s, longest {max(times):.3f} s"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
