"""The errors a user can meet. Every message says what is wrong, in which file or node, and what to do about it."""

from __future__ import annotations


class BoneQuantError(Exception):
    """Base of every error raised on purpose; the command line prints its one line and exits with code 2."""


class InputError(BoneQuantError):
    """A file, folder or node cannot be used as it is."""


class MissingFactError(InputError):
    """A fact that quantification needs is absent and was not given by the caller.

    ``fact`` is the name under which the caller can give it.
    """

    def __init__(self, message: str, fact: str = "") -> None:
        super().__init__(message)
        self.fact = fact


class GeometryError(InputError):
    """Spacing, orientation or slice order is missing, contradictory or impossible."""


class AmbiguousInputError(InputError):
    """More than one series or object would fit; the message lists the candidates."""


class ConfirmationRequired(InputError):
    """The input is suspicious (two patients, say); the caller may confirm and run again."""


class SettingsError(BoneQuantError):
    """A setting is unknown, of the wrong type or out of its range."""


class RegistrationError(BoneQuantError):
    """Registration could not be carried out."""


class MissingDependencyError(BoneQuantError):
    """An optional package is needed for this feature; the message says how to install it."""


class Cancelled(BoneQuantError):
    """The caller's progress callback asked to stop. Nothing half-written is left behind."""
