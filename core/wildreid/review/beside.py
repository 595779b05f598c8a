"""What lies beside a gallery, for those who serve it: its photos, and when its cameras worked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from wildreid.errors import UserError
from wildreid.population.deployments import read_deployments


@dataclass(frozen=True)
class Beside:
    """Files that a gallery does not hold.

    Attributes:
        photos: the folder that the paths of the gallery's images start at; None: they are not there.
        deployments: the table of cameras that exports need; None: there is none.
    """

    photos: Path | None = None
    deployments: Path | None = None

    def check(self) -> None:
        """Refuse what is not there, before anybody waits for it.

        Raises:
            UserError: there is no such folder; the table of cameras is none.
        """
        if self.photos is not None and not self.photos.is_dir():
            raise UserError(f"there is no folder {self.photos}", cure="say where the gallery's photos are")
        if self.deployments is not None:
            read_deployments(self.deployments)
