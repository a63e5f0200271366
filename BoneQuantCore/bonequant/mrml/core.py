"""Slicer's core, wherever it is: the application's own scene, or one booted from the ``slicer-core`` package.

``slicer-core`` brings the MRML scene, the node classes and the modules' logics, but none of what the application puts
into the ``slicer`` namespace at start-up. :func:`embedded` puts the part of it there that ``slicer.util`` needs.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from bonequant.errors import MissingDependencyError

# What slicer.modules.<key>.logic() gives in the application.
_LOGICS = {
    "colors": "vtkSlicerColorLogic",
    "markups": "vtkSlicerMarkupsLogic",
    "models": "vtkSlicerModelsLogic",
    "plots": "vtkSlicerPlotsLogic",
    "segmentations": "vtkSlicerSegmentationsModuleLogic",
    "sequences": "vtkSlicerSequencesLogic",
    "subjecthierarchy": "vtkSlicerSubjectHierarchyModuleLogic",
    "tables": "vtkSlicerTablesLogic",
    "transforms": "vtkSlicerTransformLogic",
    "units": "vtkSlicerUnitsLogic",
    "volumes": "vtkSlicerVolumesLogic",
}


def require_slicer() -> Any:
    """The ``slicer`` package. Raises MissingDependencyError where neither the application nor slicer-core is there."""
    try:
        import slicer
    except ImportError as error:
        raise MissingDependencyError(
            "MRML needs 3D Slicer's core: run inside Slicer, or install it with: pip install 'bonequant[slicer]'."
        ) from error
    if not hasattr(slicer, "vtkMRMLScene"):
        raise MissingDependencyError(
            f"The package 'slicer' at {getattr(slicer, '__path__', '?')} has no MRML classes: it is not Slicer's core. "
            "Run inside Slicer, or install it with: pip install 'bonequant[slicer]'."
        )
    return slicer


def in_application() -> bool:
    """Is this code running inside the Slicer application?"""
    return getattr(require_slicer(), "app", None) is not None


def embedded() -> Any:
    """The scene to work in: the application's own, or that of Slicer's core booted here. Safe to call again.

    Without the application the first call makes ``slicer.mrmlScene`` with its default colours, and
    ``slicer.modules.<name>.logic()`` for the modules that have a logic without Qt, so that ``slicer.util``'s volume,
    segment, transform and table helpers work.

    Raises:
        MissingDependencyError: neither the application nor ``slicer-core`` is there.
    """
    slicer = require_slicer()
    if in_application():
        return slicer.mrmlScene
    if getattr(slicer, "mrmlScene", None) is None:
        slicer.mrmlScene = new_scene()
    if getattr(slicer, "modules", None) is None:
        slicer.modules = _boot(slicer, slicer.mrmlScene)
    return slicer.mrmlScene


def new_scene() -> Any:
    """An empty scene of its own, apart from the application's, that knows the node classes used here."""
    slicer = require_slicer()
    scene = slicer.vtkMRMLScene()
    # The core registers its own classes; those of loadable modules are registered by the modules' logics.
    for tag in ("Segmentation", "SegmentationDisplay", "SegmentationStorage", "ColorLegendDisplay"):
        if not scene.GetClassNameByTag(tag):
            scene.RegisterNodeClass(getattr(slicer, f"vtkMRML{tag}Node")())
    return scene


def _boot(slicer: Any, scene: Any) -> SimpleNamespace:
    application = slicer.vtkSlicerApplicationLogic()
    application.SetMRMLScene(scene)
    application.GetColorLogic().SetMRMLScene(scene)
    application.GetColorLogic().AddDefaultColorNodes()
    modules = SimpleNamespace(applicationLogic=lambda: application)
    for key, class_name in _LOGICS.items():
        logic = application.GetColorLogic() if key == "colors" else getattr(slicer, class_name)()
        logic.SetMRMLApplicationLogic(application)
        logic.SetMRMLScene(scene)
        application.SetModuleLogic(key.capitalize(), logic)
        setattr(modules, key, SimpleNamespace(logic=lambda logic=logic: logic))
    return modules
