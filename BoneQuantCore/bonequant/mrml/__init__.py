"""The bridge to 3D Slicer: library objects to MRML nodes and back, in the application or on the slicer-core package.

The only part of the library that knows Slicer. ``slicer`` is imported when a function needs it, not before::

    from bonequant import io, mrml

    scene = mrml.embedded()
    ct = mrml.to_node(io.load("ct"), name="CT")
    volume = mrml.from_node(ct)

What knows a job is imported from its own file, so that the bridge alone loads no job: ``mrml.dce_nodes``,
``mrml.response_nodes``, ``mrml.live_curves``.
"""

from bonequant.mrml.bundle import read_scene, save_scene, write_scene
from bonequant.mrml.charts import Series, chart_to_node
from bonequant.mrml.convert import from_node, to_node
from bonequant.mrml.core import embedded, in_application, new_scene
from bonequant.mrml.facts import known_facts, type_fact
from bonequant.mrml.frame_times import frame_times, set_frame_times
from bonequant.mrml.hierarchy import place
from bonequant.mrml.live import LivePropagation
from bonequant.mrml.live_measure import LiveMeasurement
from bonequant.mrml.maps import map_to_node
from bonequant.mrml.marrow import write_marrow_scene
from bonequant.mrml.measure import measure_segments
from bonequant.mrml.responsive import run_responsive
from bonequant.mrml.result_nodes import ResultNodes
from bonequant.mrml.segments import masks_from_node, masks_to_node, segment_colours
from bonequant.mrml.sequences import series_from_node, series_to_node
from bonequant.mrml.tables import rows_from_node, rows_into_node, rows_to_node
from bonequant.mrml.transforms import transform_between, transform_from_node, transform_to_node, transform_to_world
from bonequant.mrml.volumes import volume_from_node, volume_to_node

__all__ = [
    "LiveMeasurement",
    "LivePropagation",
    "ResultNodes",
    "Series",
    "chart_to_node",
    "embedded",
    "frame_times",
    "from_node",
    "in_application",
    "known_facts",
    "map_to_node",
    "masks_from_node",
    "masks_to_node",
    "measure_segments",
    "new_scene",
    "place",
    "read_scene",
    "rows_from_node",
    "rows_into_node",
    "rows_to_node",
    "run_responsive",
    "save_scene",
    "segment_colours",
    "series_from_node",
    "series_to_node",
    "set_frame_times",
    "to_node",
    "transform_between",
    "transform_from_node",
    "transform_to_node",
    "transform_to_world",
    "type_fact",
    "volume_from_node",
    "volume_to_node",
    "write_marrow_scene",
    "write_scene",
]
