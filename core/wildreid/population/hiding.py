"""What a survey tells of places: as they are to their owner, replaced for everybody else."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from wildreid.data.table import BOX
from wildreid.errors import UserError
from wildreid.page.private import tells
from wildreid.population.deployments import KNOWN
from wildreid.population.design import Design
from wildreid.population.locations import Frame, coarsened, metres
from wildreid.population.names import codes, file_names

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Told:
    """What is shown of places: as it is to the owner, replaced for everybody else."""

    def __init__(
        self, design: Design, frame: Frame | None, deployments: pd.DataFrame, rows: pd.DataFrame
    ) -> None:
        self.design, self._deployments = design, deployments
        self.open = design.private or design.station_names
        places = deployments[["latitude", "x"]].notna().any(axis=None)
        if not design.private and frame is None and (places or not self.open):
            raise UserError(
                "a public survey needs a frame, which hides where its stations are",
                cure="give frame: Frame.open(gallery); or `private=True` if nobody else sees it",
            )
        self.notes: list[str] = []
        self.frame = frame if frame is None or design.private else frame.kept()
        self._covariates = [
            str(name) for name in deployments
            if name not in (*KNOWN, "start_offset", "end_offset", "periods")
            and (design.private or not tells(str(name)))
        ]  # fmt: skip
        self.names: dict[str, dict[str, str]] = {
            sort: self._names(sort, deployments[sort]) for sort in ("station", "camera", "deployment")
        }
        self.files = self._files(rows["image"])
        self.individuals = codes(rows["individual"])

    def _names(self, sort: str, given: Iterable[str]) -> dict[str, str]:
        return codes(given) if self.open else self._aliases(sort[0].upper(), given)

    def _files(self, given: Iterable[str]) -> dict[str, str]:
        if self.open:
            return file_names(given)
        return {image: name + _suffix(image) for image, name in self._aliases("P", given).items()}

    def _aliases(self, sort: str, given: Iterable[str]) -> dict[str, str]:
        """Names that the frame's salt gives; longer ones where two would be alike."""
        assert self.frame is not None
        names = sorted({str(name) for name in given})
        for size in (3, 5, 8, 16):
            alias = {name: self.frame.alias(sort, name, size) for name in names}
            if len(set(alias.values())) == len(names):
                break
        return alias

    def photos(self, rows: pd.DataFrame) -> pd.DataFrame:
        """What a survey says of each annotation; see `wildreid.population.survey.Survey`."""
        texts = ("sex", "life_stage", "species", "viewpoint", "method", "decided_by")
        numbers = ("utc_offset", *BOX, "probability")
        return pd.DataFrame(
            {
                "individual": rows["individual"].astype(object),
                "code": rows["individual"].map(self.individuals).astype(object),
                **{sort: rows[sort].map(names).astype(object) for sort, names in self.names.items()},
                **{name: rows[name] for name in ("event", "occasion", "timestamp", "decided_at")},
                **{name: rows[name].astype(object).where(rows[name].notna(), "") for name in texts},
                **{name: rows[name].astype("float64") for name in numbers},
                "file": rows["image"].map(self.files).astype(object),
                "withheld": rows["private"],
            }
        )

    def deployments(self) -> pd.DataFrame:
        """The deployments; in public without metres, texts and what may tell a place, degrees rounded."""
        found = self._deployments.copy()
        for sort, names in self.names.items():
            found[sort] = found[sort].map(names)
        if not self.design.private:
            found = self._coarsened(found).drop(columns=["x", "y"])
            texts = [name for name in self._covariates if not self._number(name)]
            found = found.drop(
                columns=[name for name in found if name in texts or (tells(str(name)) and name not in KNOWN)]
            )
        found.attrs = {}
        return found.sort_values("deployment", ignore_index=True)

    def _coarsened(self, found: pd.DataFrame) -> pd.DataFrame:
        """The degrees rounded; none, and a note, where that would hide nothing."""
        degrees = ["latitude", "longitude", "coordinate_uncertainty"]
        if self.design.precision is None:
            return found.assign(**dict.fromkeys(degrees, np.nan))
        try:
            return coarsened(found, int(self._deployments.attrs.get("decimals", 15)), self.design.precision)
        except UserError as error:
            self.notes.append(f"no degrees are told: {error.what}; `precision=1` may tell them")
            return found.assign(**dict.fromkeys(degrees, np.nan))

    def stations(self, names: list[str]) -> pd.DataFrame:
        """``x``, ``y`` in metres and the covariates that are numbers, of each station."""
        first = self._deployments.groupby("station").first().reindex(names)
        numbers = [name for name in self._covariates if self._number(name)]
        table = first[numbers].apply(pd.to_numeric)
        table[["x", "y"]] = self._metres(first)
        table.index = [self.names["station"][name] for name in names]
        ordered: pd.DataFrame = table[["x", "y", *numbers]].sort_index()
        return ordered

    def _metres(self, first: pd.DataFrame) -> NDArray[np.float64]:
        """Metres as they were given, or from degrees; turned and moved where the survey is public."""
        given = first["x"].notna().all()
        place = first[["x", "y"] if given else ["latitude", "longitude"]].to_numpy(float)
        if np.isnan(place).any() or (given and self.design.private):
            return place if given else np.full((len(first), 2), np.nan)
        unit, middle = "metres" if given else "degrees", place.mean(axis=0)
        centre = (float(middle[0]), float(middle[1]))
        if self.design.private:
            return np.round(metres(place[:, 0], place[:, 1], centre), 3)
        assert self.frame is not None
        frame = self.frame.about(unit, centre)
        origin = frame.origins[unit]
        plane = place - np.array(origin) if given else metres(place[:, 0], place[:, 1], origin)
        return frame.disguised(plane)

    def _number(self, name: str) -> bool:
        return bool(pd.to_numeric(self._deployments[name], errors="coerce").notna().all())

    def dropped(self, rows: pd.DataFrame) -> pd.DataFrame:
        """The photos for which no camera was looking; named by number where their names are nobody's business."""
        at = rows["station"].map(self.names["station"]).fillna("")
        image = rows["image"] if self.open else pd.Series([f"photo {n + 1}" for n in rows.index], rows.index)
        return pd.DataFrame(
            {"image": image, "individual": rows["individual"], "station": at, "timestamp": rows["timestamp"]}
        )

    def hidden(self) -> pd.DataFrame:
        """Which name stands for which: for the owner, where the survey itself does not tell."""
        every = {**self.names, "photo": self.files}
        return pd.DataFrame(
            [(sort, name, code) for sort, names in every.items() for name, code in names.items()],
            columns=["sort", "name", "code"],
        )


def _suffix(image: str) -> str:
    found = re.search(r"\.[A-Za-z0-9]{1,5}$", image)
    return found[0].lower() if found else ""
