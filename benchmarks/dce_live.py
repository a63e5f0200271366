"""Time from a stroke to the curves and values of both dates: ``python benchmarks/dce_live.py [small|clinical]``."""

from __future__ import annotations

import statistics
import sys
import time

from bonequant import mrml
from bonequant.mrml.live_curves import LiveCurves
from bonequant.mrml.response_nodes import response_to_nodes
from bonequant.phantom import simulate_spine, spine_follow_up, spine_preset
from bonequant.studies.dce_perfusion import DceInputs, DceSettings
from bonequant.studies.treatment_response import DateInputs, ResponseInputs, ResponseSettings, run

STROKES = 9


def main(preset: str) -> None:
    before = simulate_spine(spine_preset(preset))
    after = simulate_spine(spine_follow_up(before.settings))
    drawn = {"lesion_1": before.masks["lesion_1"]}
    dates = [
        DateInputs(name, DceInputs(scan.series, t1_map=scan.t1, name=name), lesions=lesions)
        for name, scan, lesions in (("before", before, drawn), ("after", after, {}))
    ]
    result = run(ResponseInputs(dates), ResponseSettings(dce=DceSettings(descriptive=False)))
    nodes = mrml.ResultNodes(mrml.embedded().AddNewNodeByClass("vtkMRMLScriptedModuleNode", "owner"))
    start = time.perf_counter()
    response_to_nodes(result, nodes)
    into_scene = time.perf_counter() - start
    outlines, anatomy = mrml.to_node(drawn, "Outlines"), nodes.get("anatomy.after")
    carried = mrml.LivePropagation(outlines, [anatomy]).targets[anatomy.GetID()]
    live, times = LiveCurves(result, nodes), []
    for _ in range(STROKES):
        start = time.perf_counter()
        live.update("before", outlines, ["lesion_1"])
        live.update("after", carried, ["lesion_1"])
        times.append(time.perf_counter() - start)
    print(f"{preset}: result into the scene {into_scene:.2f} s")
    print(
        f"{preset}: stroke to values of both dates, median {statistics.median(times):.3f} s, longest {max(times):.3f} s"
    )


if __name__ == "__main__":
    for chosen in sys.argv[1:] or ("small", "clinical"):
        main(chosen)
