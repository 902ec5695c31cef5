"""What can go wrong while operating a portal.

OperationError
├── Refused            nothing was touched; the operator changes something and calls again
│   └── BrokenArchive  the archive is not whole; `part` names what is broken
└── Failed             something was begun and not finished; the text says in what state the portal is
"""

from __future__ import annotations

from ckanext.ccphva.operations.text import Text


class OperationError(Exception):
    """An operation that did not succeed, with its mend in the sentence."""

    def __init__(self, fr: str, en: str) -> None:
        super().__init__(fr)
        self.text = Text(fr, en)


class Refused(OperationError):  # noqa: N818 -- reads as a sentence where it is raised
    """Nothing was touched."""


class BrokenArchive(Refused):
    """An archive that is cut, altered or not ours."""

    def __init__(self, part: str, fr: str, en: str) -> None:
        super().__init__(
            f"L'archive est refusée, rien n'a été modifié : {part} {fr}. Prenez une autre archive.",
            f"The archive is refused, nothing was touched: {part} {en}. Take another archive.",
        )
        self.part = part


class Failed(OperationError):  # noqa: N818 -- as above
    """Begun and not finished."""
