"""One HTML page that says what was asked, what came out, how far to trust it, and shows the animals."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from wildreid.kinds import Reporter

if TYPE_CHECKING:
    from wildreid.artefacts import Results


class Html(Reporter):
    """One page for people, with no network: scores in words, plots, photos, individuals, a map."""

    name = "html"
    strips: int = Field(12, ge=0, le=30, description="queries shown in each of the three sets of photos")
    nearest: int = Field(5, ge=1, le=10, description="individuals shown beside each of these queries")
    pictures: Literal["beside", "inside", "none"] = Field(
        "beside",
        description="where photos are kept in the size that they open in: in a folder beside the page, inside it "
        "(one large file), or nowhere; encoded again, the originals are never copied",
    )
    umap: bool = Field(True, description="draw a map of the embeddings; takes 10 to 100 seconds")
    points: int = Field(2000, ge=10, le=5000, description="photos on the map at most; a sample of more")
    parts: tuple[Literal["train", "val", "test"], ...] = Field(
        ("test",), min_length=1, description="parts that the map is drawn of"
    )

    def write(self, *, results: Results, folder: Path) -> list[Path]:
        """Write ``index.html``, and beside it the photos in the size that they open in."""
        from wildreid_plugins.reporters.html.page import write

        path = folder / "index.html"
        folder.mkdir(parents=True, exist_ok=True)
        write(self, results, path)
        return [path]
