"""Connected components: any two encounters above the cut are one animal, and so on along the chain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from wildreid.kinds import Clusterer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class ConnectedComponents(Clusterer):
    """Join every pair above the cut (single linkage); simple, and look-alikes chain individuals together."""

    name = "connected-components"
    cut: float | None = Field(
        None,
        ge=-1,
        le=1,
        description="similarity that joins; null: where a merge's calibrated probability is 1/2",
    )

    def cluster(self, *, similarity: NDArray[np.float32], cut: float) -> NDArray[np.int64]:
        """The components of the graph whose edges are the pairs at or above the cut."""
        import numpy as np
        from scipy.sparse import csr_array
        from scipy.sparse.csgraph import connected_components

        joined = csr_array(similarity >= (cut if self.cut is None else self.cut))
        return connected_components(joined, directed=False)[1].astype(np.int64)  # type: ignore[no-any-return]
