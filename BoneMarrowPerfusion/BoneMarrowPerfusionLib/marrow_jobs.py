"""The marrow job on nodes: load, register, find regions, measure, report. Part of the module's logic."""

from __future__ import annotations

from typing import Any

import slicer

from BoneMarrowPerfusionLib.measured import Memory, alignment_of, directly, kept_nodes, written


class MarrowJobs:
    """Steps of the job one by one, or all in one go; what was found before is not found again."""

    memory: Memory

    def marrowResult(self, functional) -> Any:
        """The job's result for a SPECT that was measured in this session, else None."""
        return self.memory.date(functional).result

    def marrowContent(self, functional) -> Any:
        return self.memory.date(functional).content

    def marrowNodes(self, functional) -> dict[str, dict[str, Any]]:
        """Tables, charts and maps of a SPECT, from this session or saved with the scene."""
        return kept_nodes(functional)

    def registrationOf(self, functional) -> Any:
        """What Register found, as long as the SPECT lies as it was laid."""
        known = self.memory.date(functional).registered_as
        return self._known(functional, slicer.mrmlScene.GetNodeByID(known[0])) if known else None

    def canUndo(self, functional) -> bool:
        from bonequant.mrml.kept import kept_node

        return functional is not None and kept_node(functional, "Alignment") is not None

    def loadPair(self, folder: str, work=directly) -> tuple[Any, Any]:
        """SPECT (or PET) and CT nodes of a folder that holds one of each, with their facts."""
        from bonequant import mrml
        from bonequant.studies import marrow_perfusion as job

        inputs = work(lambda progress: job.read_date(folder, progress=progress))
        return mrml.to_node(inputs.functional, "SPECT"), mrml.to_node(inputs.ct, "CT")

    def makeSamplePatient(self, work=directly, preset: str = "small") -> tuple[Any, Any]:
        """SPECT and CT of a simulated patient with bone lesions, as nodes."""
        from bonequant import mrml
        from bonequant.phantom import preset as preset_settings
        from bonequant.phantom import simulate_patient

        patient = work(lambda progress: simulate_patient(preset_settings(preset), progress))
        return mrml.to_node(patient.spect, "SPECT"), mrml.to_node(patient.ct, "CT")

    def register(self, functional, ct, settings=None, *, confirmed: bool = False, work=directly) -> Any:
        """Lay a SPECT on its CT: the transform node that it then lies under; None where the scanner's alignment is
        kept by the settings. A former registration is undone first."""
        from bonequant.mrml.marrow_inputs import marrow_inputs
        from bonequant.mrml.marrow_nodes import align_node, undo_alignment
        from bonequant.studies import marrow_perfusion as job

        inputs = marrow_inputs(functional, ct, confirmed=confirmed, registered=True)
        found = work(lambda progress: job.align(inputs, settings, progress))
        if found is None:
            return None
        undo_alignment(functional)
        node = align_node(found, functional)
        self._remember(functional, ct, found)
        return node

    def undoRegistration(self, functional) -> None:
        from bonequant.mrml.marrow_nodes import undo_alignment

        undo_alignment(functional)
        self._remember(functional, None, None)

    def findRegions(self, functional, ct, regions=None, settings=None, *, confirmed: bool = False, work=directly):
        """Bones, marrow, vertebrae, references and lesion candidates as segments: in ``regions`` where it is given."""
        from bonequant.mrml.found_regions import patches_of
        from bonequant.mrml.marrow_inputs import marrow_inputs
        from bonequant.mrml.marrow_nodes import align_node, regions_to_node
        from bonequant.studies import marrow_perfusion as job
        from BoneQuantPanels.work import pause

        settings = settings or job.MarrowSettings()
        date, known = self.memory.date(functional), self._known(functional, ct)
        inputs = marrow_inputs(functional, ct, regions, confirmed=confirmed, registered=known is not None)

        def find(progress):
            registration = known or job.align(inputs, settings, lambda done, text: progress(0.4 * done, text))
            found = job.find(inputs, settings, registration, lambda done, text: progress(0.4 + 0.6 * done, text))
            return registration, found, patches_of(found.on_ct)

        registration, found, patches = work(find)
        if registration is not None and known is None:
            align_node(registration, functional)
            self._remember(functional, ct, registration)
        drawn = bool(inputs.masks_on_ct or inputs.masks_on_functional)
        date.found, date.found_for = (
            (None, None) if drawn else (found, self._findings_hold_for(functional, ct, settings))
        )
        return regions_to_node(patches, regions, ct, "regions", pause)

    def measure(
        self, functional, ct=None, regions=None, settings=None, *, later=None, confirmed: bool = False, work=directly
    ):
        """The whole job: registers and finds regions where that was not done before, and measures.

        :param regions: segmentation; what was drawn or edited in it goes before what is found.
        :param later: SPECT and CT of a later date, which is measured and compared.
        :return: :class:`bonequant.mrml.marrow_nodes.MarrowNodes`.
        """
        from bonequant.mrml import marrow_nodes
        from bonequant.mrml.marrow_inputs import marrow_inputs
        from bonequant.studies import marrow_perfusion as job
        from BoneQuantPanels.work import pause

        settings = settings or job.MarrowSettings()
        date, known = self.memory.date(functional), self._known(functional, ct)
        inputs = marrow_inputs(functional, ct, regions, confirmed=confirmed, registered=known is not None)
        drawn = inputs.masks_on_ct or inputs.masks_on_functional
        found = None
        if not drawn and date.found_for == self._findings_hold_for(functional, ct, settings):
            found = date.found
        second = marrow_inputs(*later, name="follow_up_1", confirmed=confirmed) if later else None

        def measure(progress):
            share = 0.5 if second else 1.0
            result = job.run(
                inputs, settings, lambda done, text: progress(share * done, text), registration=known, regions=found
            )
            others = ()
            if second:
                others = (job.run_later(result, second, settings, lambda done, text: progress(0.5 + 0.5 * done, text)),)
            follow_up = job.compare([result, *others]) if others else None
            return result, others, follow_up, marrow_nodes.marrow_content(result)

        date.result, date.later, date.follow_up, date.content = work(measure)
        if date.result.registration is not None and known is None:
            marrow_nodes.align_node(date.result.registration, functional)
            self._remember(functional, ct, date.result.registration)
        nodes = marrow_nodes.marrow_to_nodes(date.result, date.content, functional, ct, regions, pause)
        if date.follow_up is not None:
            marrow_nodes.follow_up_to_node(date.follow_up, functional)
        return nodes

    def writeReport(self, functional, folder, *, identified: bool = False, overwrite: bool = False, work=directly):
        """Report, tables, maps and regions of what was measured, in a folder; the report's path."""
        from bonequant.studies import marrow_perfusion as job

        date = self.memory.date(functional)
        options = {"follow_up": date.follow_up, "later": date.later, "identified": identified, "overwrite": overwrite}
        return written(job, date.result, folder, work, **options)

    def _remember(self, functional, ct, registration) -> None:
        date = self.memory.date(functional)
        date.registration = registration
        date.registered_as = (ct.GetID(), alignment_of(functional, ct)) if registration is not None else None
        date.found = date.found_for = None

    def _known(self, functional, ct) -> Any:
        """The registration that was found for these nodes, where they still lie as it laid them."""
        date = self.memory.date(functional)
        if functional is None or ct is None or date.registered_as is None:
            return None
        return date.registration if date.registered_as == (ct.GetID(), alignment_of(functional, ct)) else None

    @staticmethod
    def _findings_hold_for(functional, ct, settings) -> Any:
        """What the found regions depend on: the images, how they lie to each other, and the settings."""
        images = [(node.GetID(), node.GetMTime(), node.GetImageData().GetMTime()) for node in (functional, ct) if node]
        return images, alignment_of(functional, ct), settings.to_json()
