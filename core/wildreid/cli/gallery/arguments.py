"""Arguments and options that the commands about a gallery share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

GalleryPath = Annotated[
    Path,
    typer.Argument(
        metavar="GALLERY", help="The gallery's folder.", show_default=False, exists=False, file_okay=False
    ),
]
Individual = Annotated[str, typer.Argument(metavar="INDIVIDUAL", help="Its name.", show_default=False)]
Data = Annotated[
    Path | None,
    typer.Option(
        metavar="DATA",
        help="Photos with names: a CSV or Parquet table, a folder with a folder for each individual, a run, "
        "or a recipe.",
    ),
]
Part = Annotated[
    list[str] | None,
    typer.Option(metavar="PART", help="Take this part of the data alone, as in train; may be given again."),
]
Root = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER", help="What a table's paths are relative to; the table's own folder if not given."
    ),
]
Pictures = Annotated[
    Literal["beside", "inside", "none"],
    typer.Option(
        help="Where the page's larger photos are: in a folder beside it, inside it (one large file), or nowhere."
    ),
]
Keys = Annotated[
    list[str] | None,
    typer.Option(
        "--image",
        metavar="IMAGE",
        help="An image's path or key, as `reid gallery show` lists them; may be given again.",
    ),
]
Encounter = Annotated[
    list[str] | None,
    typer.Option(metavar="ENCOUNTER", help="All images of this encounter; may be given again."),
]
NoMatching = Annotated[
    bool,
    typer.Option(
        "--no-matching",
        help="Rank by the embedding alone, also where the gallery matches photos point by point.",
    ),
]
Pairs = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="IMAGES",
        help="Match each photo to so many images of the gallery, the nearest; as the model's run if not given.",
    ),
]
Seconds = Annotated[
    float | None,
    typer.Option(min=0.001, metavar="SECONDS", help="Match each photo for so long, at most."),
]
