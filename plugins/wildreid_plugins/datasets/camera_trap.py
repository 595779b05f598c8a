"""The camera-trap dataset: a tree of stations, dates from EXIF."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from pydantic import Field, field_validator

from wildreid.errors import UserError
from wildreid.kinds import Unknown
from wildreid.option import Location, did_you_mean
from wildreid_plugins.datasets.filmed import Filmed

if TYPE_CHECKING:
    import pandas as pd

    from wildreid.data.table import Table

_NAME = re.compile(r"\{(\w+)\}")


class CameraTrap(Filmed):
    """Frames of camera traps: station and individual from the path or a tag, date and camera from EXIF."""

    name = "camera-trap"
    root: Location = Field(description="folder that holds the stations")
    layout: str = Field(
        "{station}/{identity}/{file}",
        description="what the parts of a path mean; {station}, {camera}, {identity}, {file} or a column of "
        "your own, each up to the next '/' or sign: '{species}/{station}__{file}'",
    )
    tag: str | None = Field(
        None,
        min_length=1,
        description="keyword above the individual's name, where photos are tagged: read as by photo-tags",
    )
    camera: Literal["folder", "exif"] = Field(
        "folder", description="a camera is a {camera} or {station} of the path, or a serial number in EXIF"
    )
    unknown: Unknown = None
    shift: dict[str, timedelta] = Field(
        {}, description="what to add to a station's clock: {StationB: '-01:00:00'}, or a number of seconds"
    )

    @field_validator("layout")
    @classmethod
    def _check_layout(cls, value: str) -> str:
        names = _NAME.findall(value)
        if len(names) != len(set(names)):
            raise ValueError("a name is there twice in the layout")
        if not names or "{" in _NAME.sub("", value) or "}{" in value:
            raise ValueError("write names in braces with a sign between them: {station}/{identity}/{file}")
        return value

    def table(self) -> Table:
        """List the frames and read their headers.

        Raises:
            UserError: no such root, no frame that fits the layout, a shift for a station that is not there.
        """
        import pandas as pd

        from wildreid.data.exif import dates_said, with_exif
        from wildreid.data.files import find_images, nothing_to_read
        from wildreid.data.names import settled
        from wildreid.data.table import Failure, Table
        from wildreid.data.tags import Tags, tagged

        found, filmed = self.frames(find_images(self.root))
        images = found.images
        pattern = re.compile(self._pattern() + r"(?:\.\w+)?$")
        paths = pd.Series(images + filmed["event"].tolist(), dtype="string")
        parts = [pattern.match(path) for path in paths]
        fits = [part is not None for part in parts]
        reason = f"the path does not fit the layout {self.layout}"
        misfits = paths[[not fit for fit in fits]].unique()
        failures = found.others + [Failure(path, reason) for path in misfits]
        if not any(fits):
            raise UserError(
                f"none of {len(images)} images fits the layout {self.layout}",
                where=str(self.root),
                cure=f"write 'layout' as the paths are, such as {images[0]}"
                if images
                else nothing_to_read(found.others) or "check the root",
            )
        photos = with_exif(pd.DataFrame({"image": pd.Series(images, dtype="string")}), self.root)
        rows = pd.concat([photos, filmed], ignore_index=True) if len(filmed) else photos
        named = pd.DataFrame([part.groupdict() if part else {} for part in parts]).drop(
            columns="file", errors="ignore"
        )
        rows = rows.assign(**{str(name): named[name] for name in named})[fits].reset_index(drop=True)
        dates = dates_said(rows.pop("dated_by"), len(rows))
        if "identity" not in rows:
            rows["identity"] = pd.NA
        rows["timestamp"] += self._shifts(rows)
        if self.camera == "exif":
            rows["camera"] = rows["serial"]
        elif "camera" not in rows:
            rows["camera"] = rows.get("station", pd.NA)
        if self.tag is None:
            rows, told = settled(rows, self.unknown, where=str(self.root))
            return Table.of(rows, self.root, failures).with_notes([*found.notes, *dates, *told])
        records = tagged(rows, self.root, Tags(self.tag), others=failures)
        records.rows, told = settled(records.rows, self.unknown, where=str(self.root))
        return records.table(form="camera-trap frames with keywords and regions").with_notes([*dates, *told])

    def _pattern(self) -> str:
        """The layout as a pattern: its own signs literally, each name up to the next of them."""
        parts = _NAME.split(self.layout)
        return "".join(f"(?P<{part}>[^/]+?)" if n % 2 else re.escape(part) for n, part in enumerate(parts))

    def _shifts(self, rows: pd.DataFrame) -> pd.Series[pd.Timedelta]:
        import pandas as pd

        if not self.shift:
            return pd.Series(pd.Timedelta(0), index=rows.index)
        if "station" not in rows:
            raise UserError("the layout names no {station} to shift the clock of", where="dataset.shift")
        stations = set(rows["station"])
        for station in self.shift:
            if station not in stations:
                raise UserError(
                    f"there is no station '{station}'{did_you_mean(station, stations)}; there are: "
                    f"{', '.join(sorted(stations))}",
                    where="dataset.shift",
                )
        return pd.to_timedelta(rows["station"].map(self.shift)).fillna(pd.Timedelta(0))
