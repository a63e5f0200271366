"""An answer that may be missing, as a parameter keeps it."""

import enum

from slicer.i18n import tr as _


class Known(enum.Enum):
    """An answer that may be missing."""

    UNKNOWN = "unknown"
    YES = "yes"
    NO = "no"

    def label(self) -> str:
        return {"unknown": _("not known"), "yes": _("yes"), "no": _("no")}[self.value]

    @property
    def answer(self):
        return {"unknown": None, "yes": True, "no": False}[self.value]
