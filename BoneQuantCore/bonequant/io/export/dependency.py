"""highdicom, which writes SEG, SR and parametric maps, is an extra: it is asked for where it is used."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bonequant.errors import MissingDependencyError


def highdicom(what: str) -> Any:
    """The package. Raises MissingDependencyError that says how to install it.

    Versions, as the packages say and as tried: 0.22.0 is the last for pydicom 2 and fails under numpy 2; 0.23 and later
    need pydicom 3.0.1. Slicer 5.10 (pydicom 2.4.4 with numpy 2.0) can therefore have none; Slicer 5.12 can.
    """
    try:
        import highdicom as package
    except ImportError as error:
        import pydicom

        message = f"{what} needs highdicom, which is not installed. "
        if int(pydicom.__version__.split(".")[0]) < 3:
            raise MissingDependencyError(
                f"{message}It needs pydicom 3.0.1 or later, and this Python has {pydicom.__version__} (as Slicer 5.10 "
                'does): use Slicer 5.12, or the command line after pip install "bonequant[dicom]". Contours '
                "(RTSTRUCT) and .seg.nrrd can be written as it is."
            ) from error
        raise MissingDependencyError(f'{message}Install it with: pip install "bonequant[dicom]".') from error
    return package


@contextmanager
def quiet() -> Iterator[None]:
    """Leave out highdicom's remarks on names of one component and on arguments that newer versions call otherwise."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield
