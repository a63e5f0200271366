"""A parameter node class as a module file has it, for the tests of the host's wrapper."""

import enum
from typing import Annotated

from slicer import vtkMRMLScalarVolumeNode
from slicer.parameterNodeWrapper import Default, WithinRange, parameterNodeWrapper


class Rule(enum.Enum):
    LAST = "last"
    BEST = "best"


@parameterNodeWrapper
class Parameters:
    spect: vtkMRMLScalarVolumeNode
    sigma_mm: Annotated[float, WithinRange(0.0, 20.0), Default(2.5)]
    rule: Rule
    names: list[str]
    times: dict[str, float]
    note: str = "none"
    count: int = 3
    on: bool = True
