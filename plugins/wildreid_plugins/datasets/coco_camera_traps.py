"""The coco-camera-traps dataset: the form of the LILA sets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from wildreid.kinds import Dataset
from wildreid.option import Location

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from wildreid.data.peek import Guess, Peek
    from wildreid.data.table import Table
    from wildreid_plugins.datasets.coco_json import Coco

NAMES = ("individual", "individual_id", "name")
"""Keys of an annotation that name its individual, where no field says which."""
_TAKEN = ("image_id", "category_id", "file_name", "width", "height", "location", "seq_id", "datetime")
PRIVATE = ("human", "person", "people", "vehicle")


class CocoCameraTraps(Dataset):
    """COCO Camera Traps, as LILA gives its sets: boxes, species, places and sequences; individuals by a key.

    A label that is of a whole sequence has no box. Photos with people or vehicles are marked as private.
    """

    name = "coco-camera-traps"
    root: Location = Field(description="folder that file names are relative to")
    file: str = Field("metadata.json", description="the JSON file, relative to root")
    individual: str | None = Field(
        None,
        description="key of an annotation that names its individual; null: individual, individual_id or name",
    )
    media: Location | None = Field(
        None, description="folder of photos that are not below root: they are found by their name"
    )
    dates: str | None = Field(
        None, description="form of the datetime, such as '%d.%m.%Y %H:%M'; null: ISO 8601 or EXIF's"
    )

    @classmethod
    def recognise(cls, *, peek: Peek) -> Guess | None:
        """A JSON file with images, annotations and categories, of camera traps by their keys."""
        from wildreid.data.peek import Guess
        from wildreid_plugins.datasets.coco_json import is_coco

        content = peek.content
        if not is_coco(content) or not content["images"] or not isinstance(content["images"][0], dict):
            return None
        telling = {"location", "seq_id", "datetime", "frame_num", "seq_num_frames"}
        if not telling & set(content["images"][0]):
            return None
        files = [str(one.get("file_name", "")) for one in content["images"] if isinstance(one, dict)]
        return Guess({"root": str(peek.root_of(files)), "file": str(peek.path)}, "COCO Camera Traps")

    def table(self) -> Table:
        """Read the file.

        Raises:
            UserError: no such root or file, no COCO, dates that could be read in two ways.
        """
        import numpy as np
        import pandas as pd

        from wildreid.data.records import Records
        from wildreid_plugins.datasets.coco_json import kept, read_coco

        file = self.root / self.file
        coco = read_coco(file)
        who, notes = self._who(coco)
        place = coco.text("location")
        files, images = coco.image["file_name"].astype("string"), coco.annotations["image_id"]
        people = coco.category.str.lower().isin(PRIVATE)
        rows = pd.DataFrame(
            {
                "identity": who,
                "species": coco.category,
                "camera": place,
                "station": place,
                "event": coco.text("seq_id"),
                "media": images,
                "method": pd.Series("import", who.index, "string").where(who.notna()),
                "private": images.isin(images[people]),
            }
        )
        records = Records(
            rows, coco.annotations["id"].fillna("an annotation without id"), self.root, paths=files
        )
        records.keep(kept(coco, *_TAKEN, *NAMES, str(self.individual)))
        records.fail(
            coco.image["id"].isna(), "there is no such image_id, or two: " + images.fillna("nothing")
        )
        number = coco.annotations["category_id"].fillna("nothing")
        records.count(coco.category.str.lower().eq("empty") | (number == "0"), "empty")
        records.fail(coco.category.isna(), "there is no such category_id: " + number)
        records.count(people, coco.category.str.lower().fillna("").to_list())
        records.fail(coco.text("corrupt").str.lower().eq("true"), "the photo is corrupt")
        pixels, shares = coco.box("bbox"), coco.box("bbox_relative")
        relative = np.asarray(~np.isnan(shares).all(axis=1))
        both = relative & ~np.isnan(pixels).all(axis=1)
        records.fail(both, "both bbox and bbox_relative are given")
        records.locate(files, media=self.media)
        boxes = np.where(relative[:, None], shares, pixels)
        boxes[_true(coco.annotations, "sequence_level_annotation")] = np.nan
        records.box(boxes, relative=relative, drawn_on=coco.size())
        records.date(coco.text("datetime"), form=self.dates, where=str(file))
        records.further(counted={"photos without annotation": len(coco.unspoken)})
        return records.table(form="COCO Camera Traps", notes=notes)

    def _who(self, coco: Coco) -> tuple[pd.Series[str], list[str]]:
        import pandas as pd

        from wildreid.data.records import said
        from wildreid.errors import UserError

        keys = NAMES if self.individual is None else (self.individual,)
        key = next((one for one in keys if one in coco.annotations), None)
        if key is not None:
            return said(coco.annotations[key]), []
        if self.individual is not None and len(coco.annotations):
            raise UserError(
                f"no annotation has a key '{self.individual}'; there are {', '.join(map(str, coco.annotations))}",
                where=str(self.root / self.file),
                cure="name one of them in 'individual', or leave it out",
            )
        nobody = pd.Series(pd.NA, coco.annotations.index, "string")
        return nobody, [f"no annotation names an individual ({', '.join(keys)}): nobody is known"]


def _true(rows: pd.DataFrame, key: str) -> np.ndarray:
    if key not in rows:
        import numpy as np

        return np.zeros(len(rows), bool)
    return rows[key].map(lambda value: value is True).to_numpy(bool)
