"""Liver perfusion and dynamic SPECT on nodes: load, measure, report. Part of the module's logic."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from BoneMarrowPerfusionLib.measured import Memory, directly, kept_nodes, written


class SeriesJobs:
    """The jobs of a sequence node, each remembered until the scene is closed."""

    memory: Memory

    def seriesNodes(self, series) -> dict[str, dict[str, Any]]:
        """Tables, charts and maps of a dynamic series."""
        return kept_nodes(series)

    def liverResult(self, series) -> Any:
        return self.memory.of_series(series, "liver")

    def dynamicResult(self, series) -> Any:
        return self.memory.of_series(series, "dynamic")

    def loadSeries(self, folder: str, work=directly) -> Any:
        """A dynamic series as a sequence node."""
        from bonequant import io, mrml

        return mrml.to_node(work(lambda progress: io.load_dynamic(folder, progress=progress)))

    def measureLiver(
        self, series, regions, second=None, maa=None, maaCt=None, settings=None, *, confirmed=False, work=directly
    ):
        """Liver perfusion of a dynamic CT; nodes as :class:`bonequant.mrml.liver.SeriesNodes`."""
        from bonequant.mrml.liver import liver_inputs, liver_to_nodes
        from bonequant.studies import liver_perfusion as job
        from BoneQuantPanels.work import pause

        inputs = liver_inputs(series, regions, second, maa, maaCt, confirmed=confirmed)
        result = work(lambda progress: job.run(inputs, settings, progress))
        self.memory.keep_series(series, "liver", result)
        return liver_to_nodes(result, series, pause)

    def measureDynamic(self, series, regions, settings=None, work=directly):
        """Kinetics of a dynamic SPECT; nodes as :class:`bonequant.mrml.liver.SeriesNodes`."""
        from bonequant.mrml.dynamic_spect import dynamic_spect_inputs, dynamic_spect_to_nodes
        from bonequant.studies import dynamic_spect as job

        inputs = dynamic_spect_inputs(series, regions)
        result = work(lambda progress: job.run(inputs, settings, progress))
        self.memory.keep_series(series, "dynamic", result)
        return dynamic_spect_to_nodes(result, series)

    def writeLiverReport(self, series, folder, *, identified: bool = False, work=directly) -> Path:
        """Report, tables, curves and maps of the last liver result, in a new folder; the report's path."""
        from bonequant.studies import liver_perfusion as job

        return written(job, self.liverResult(series), folder, work, identified=identified)

    def writeDynamicReport(self, series, folder, *, identified: bool = False, work=directly) -> Path:
        """Report, table and curves of the last kinetics, in a new folder; the report's path."""
        from bonequant.studies import dynamic_spect as job

        return written(job, self.dynamicResult(series), folder, work, identified=identified)
