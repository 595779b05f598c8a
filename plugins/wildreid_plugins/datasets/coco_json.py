"""What all COCO files share: images, annotations and categories, joined by their ids."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from wildreid.errors import UserError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Coco:
    """A COCO file, one row for each annotation.

    Attributes:
        annotations: (annotations, …) their own single values, ids as text.
        image: (annotations, …) those of the image of each, missing where there is none.
        category: (annotations,) the category's name, missing where there is none.
        lists: (annotations,) what annotations hold, as it is: boxes are lists.
        images: (images, …) all images.
        unspoken: (images,) those without an annotation.
    """

    annotations: pd.DataFrame
    image: pd.DataFrame
    category: pd.Series[Any]
    lists: list[dict[str, Any]]
    images: pd.DataFrame
    unspoken: pd.DataFrame

    def box(self, key: str) -> NDArray[np.float64]:
        """(annotations, 4) a box by its key; NaN where there is none, infinite where it is not four numbers."""
        return np.array([_four(one.get(key)) for one in self.lists], np.float64).reshape(-1, 4)

    def size(self) -> NDArray[np.float64]:
        """(annotations, 2) width and height of the image as the file says them, NaN where it does not."""
        import pandas as pd

        sides = [
            pd.to_numeric(self.image[name], errors="coerce") if name in self.image else np.nan
            for name in ("width", "height")
        ]
        return np.stack([np.broadcast_to(np.asarray(side, float), len(self.lists)) for side in sides], axis=1)

    def text(self, name: str) -> pd.Series[Any]:
        """A value of each annotation's image, as text."""
        import pandas as pd

        from wildreid.data.records import said

        if name not in self.image:
            return pd.Series(pd.NA, self.image.index, "string")
        return said(self.image[name].map(_text))


def read_coco(file: Path) -> Coco:
    """Read a COCO file.

    Raises:
        UserError: it is not there, no JSON, or has no images, annotations and categories.
    """
    from wildreid.data.records import read_json

    content = read_json(file)
    if not is_coco(content):
        there = ", ".join(content) if isinstance(content, dict) else type(content).__name__
        raise UserError(
            f"this is no COCO file: it needs the lists images, annotations and categories; it has {there}",
            where=str(file),
        )
    return joined(content)


def is_coco(content: Any) -> bool:
    """Whether it has the three lists."""
    return isinstance(content, dict) and all(
        isinstance(content.get(name), list) for name in ("images", "annotations", "categories")
    )


def joined(content: dict[str, Any]) -> Coco:
    """Annotations with their images and categories."""
    import pandas as pd

    images, _ = _frame(content["images"])
    annotations, lists = _frame(content["annotations"])
    categories, _ = _frame(content["categories"])
    for frame, names in ((images, ("id", "file_name")), (annotations, ("id", "image_id", "category_id"))):
        for name in names:
            values = frame[name].map(_text) if name in frame else pd.Series(pd.NA, frame.index)
            frame[name] = values.astype("string")
    known = images[images["id"].notna() & ~images["id"].duplicated(keep=False)].set_index("id", drop=False)
    called = {str(_text(row.get("id"))): row.get("name") for row in categories.to_dict("records")}
    return Coco(
        annotations=annotations,
        image=known.reindex(annotations["image_id"]).set_axis(annotations.index),
        category=annotations["category_id"].map(called).astype("string"),
        lists=lists,
        images=images,
        unspoken=images[~images["id"].isin(annotations["image_id"].dropna())],
    )


def kept(coco: Coco, *taken: str) -> pd.DataFrame:
    """The annotations' and images' single values that are not taken for anything of ours."""
    own = coco.annotations.drop(columns=[name for name in ("id", *taken) if name in coco.annotations])
    image = coco.image.drop(columns=[name for name in ("id", *taken, *own) if name in coco.image])
    return own.join(image)


def _frame(entries: list[Any]) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """One row for each entry, of its single values, and the entries as they are; one that is no object is empty."""
    import pandas as pd

    whole = [one if isinstance(one, dict) else {} for one in entries]
    single = [
        {key: value for key, value in one.items() if not isinstance(value, list | dict)} for one in whole
    ]
    return pd.DataFrame(single, index=range(len(single))), whole


def _four(value: Any) -> list[float]:
    if value is None:
        return [np.nan] * 4
    if isinstance(value, list) and len(value) == 4 and all(isinstance(one, int | float) for one in value):
        return [float(one) if abs(one) < 1e12 else np.inf for one in value]
    return [np.inf] * 4


def _text(value: Any) -> str | None:
    """A value as text; a whole number is without a fraction, whatever a frame made of it."""
    if value is None or value != value or isinstance(value, list | dict):
        return None
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
