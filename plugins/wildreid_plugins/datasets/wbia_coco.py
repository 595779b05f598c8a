"""The wbia-coco dataset: the training export of Wildbook (WBIA, IBEIS)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from wildreid.errors import UserError
from wildreid.kinds import Dataset
from wildreid.option import Location

if TYPE_CHECKING:
    import pandas as pd

    from wildreid.data.peek import Guess, Peek
    from wildreid.data.table import Table
    from wildreid_plugins.datasets.coco_json import Coco

FILE = re.compile(r"^instances_(?P<folder>(?P<part>train|val|test)\d*)\.json$")
UNKNOWN = "____"
LEVEL = 0.01
"""Radians below which a box counts as upright."""


class WbiaCoco(Dataset):
    """Wildbook's training export (LILA: giraffes and zebras, belugas, whale sharks, leopards, hyenas).

    The individual is an annotation's `name`; `individual_ids` are numbers of other annotations. A box that is
    turned is taken with its upright hull, and its `theta` is kept. The export's parts were drawn photo by
    photo, so frames of one encounter are in several: look with `reid audit` before using them.
    """

    name = "wbia-coco"
    root: Location = Field(description="folder that holds annotations/ and images/")
    media: Location | None = Field(
        None, description="folder of photos that are not in images/: they are found by their name"
    )

    @classmethod
    def recognise(cls, *, peek: Peek) -> Guess | None:
        """A folder with instances_PARTYEAR.json, in annotations/ or directly, or such a file."""
        from wildreid.data.peek import Guess

        folder = peek.path.parent if FILE.match(peek.path.name) else peek.path
        if folder.name == "annotations":
            folder = folder.parent
        if not folder.is_dir() or not _files(folder):
            return None
        return Guess({"root": str(folder)}, "a training export of Wildbook (WBIA COCO)")

    def table(self) -> Table:
        """Read all parts.

        Raises:
            UserError: no such root, no file of this name, no COCO.
        """
        import numpy as np
        import pandas as pd

        from wildreid.data.records import Records, said
        from wildreid_plugins.datasets.coco_json import read_coco

        found = _files(self.root)
        if not found:
            raise UserError(
                "there is no file instances_train2021.json, or of another part or year",
                where=str(self.root),
                cure="give the folder that holds annotations/ and images/",
            )
        parts = [read_coco(file) for file in found]
        names = [FILE.sub(r"\g<folder> \g<part>", file.name).split(" ") for file in found]
        paths = [
            f"images/{folder}/" + coco.image["file_name"].astype("string")
            for coco, (folder, _) in zip(parts, names, strict=True)
        ]
        rows = pd.concat(
            [_rows(coco).assign(part=part) for coco, (_, part) in zip(parts, names, strict=True)],
            ignore_index=True,
        )
        files = pd.concat(paths, ignore_index=True)
        ids = pd.concat([coco.annotations["id"] for coco in parts], ignore_index=True).fillna("without id")
        records = Records(rows, rows["part"] + " " + ids, self.root, paths=files)
        records.keep(pd.concat([_kept(coco) for coco in parts], ignore_index=True))
        records.fail(files.isna(), "there is no such image_id, or two: " + rows["media"].fillna("nothing"))
        records.locate(files, media=self.media)
        theta = records.rows["theta"] if "theta" in records.rows else pd.Series(0.0, rows.index)
        turned = pd.to_numeric(theta, errors="coerce").fillna(0).abs() >= LEVEL
        boxes = np.concatenate([coco.box("bbox") for coco in parts])
        hulls = np.concatenate([coco.box("segmentation_bbox") for coco in parts])
        records.fail(turned & np.isnan(hulls).all(axis=1), "the box is turned, and has no segmentation_bbox")
        records.box(
            np.where(turned.to_numpy()[:, None], hulls, boxes),
            relative=False,
            drawn_on=np.concatenate([coco.size() for coco in parts]),
        )
        dates = [coco.text("date_captured") for coco in parts]
        records.date(said(pd.concat(dates, ignore_index=True), "NA"), where=str(self.root))
        unspoken = sum(len(coco.unspoken) for coco in parts)
        records.further(counted={"photos without annotation": unspoken})
        note = "its parts were drawn photo by photo: reid audit says which encounters they divide"
        return records.table(form="a training export of Wildbook (WBIA COCO)", notes=[note])


def _files(root: Path) -> list[Path]:
    """The parts' files, in ``annotations`` or in the folder itself."""
    for folder in (root / "annotations", root):
        if folder.is_dir():
            found = sorted(file for file in folder.iterdir() if FILE.match(file.name))
            if found:
                return found
    return []


def _rows(coco: Coco) -> pd.DataFrame:
    import pandas as pd

    from wildreid.data.records import said

    nobody = pd.Series(pd.NA, coco.annotations.index, "string")
    who = said(coco.annotations.get("name", nobody), UNKNOWN)
    return pd.DataFrame(
        {
            "identity": who,
            "viewpoint": said(coco.annotations.get("viewpoint", nobody)),
            "species": coco.category,
            "media": coco.annotations["image_id"],
            "latitude": pd.to_numeric(coco.text("gps_lat_captured"), errors="coerce"),
            "longitude": pd.to_numeric(coco.text("gps_lon_captured"), errors="coerce"),
            "method": pd.Series("import", who.index, "string").where(who.notna()),
        }
    )


def _kept(coco: Coco) -> pd.DataFrame:
    from wildreid_plugins.datasets.coco_json import kept

    return kept(
        coco, "name", "viewpoint", "image_id", "category_id", "file_name", "width", "height", "date_captured",
        "gps_lat_captured", "gps_lon_captured",
    )  # fmt: skip
