"""Images of one individual that come from different encounters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from wildreid.kinds import Sampler

if TYPE_CHECKING:
    from wildreid.data.table import Table
    from wildreid.kinds import Batches


class EncounterAware(Sampler):
    """A few images each of many individuals, those of one from different encounters where they can.

    The frames of a burst are nearly one image: a pair of them is solved by the background and teaches little.
    """

    name = "encounter-aware"
    images: int = Field(4, ge=2, le=64, description="images of one individual in a batch, at most")
    balanced: bool = Field(False, description="every individual equally often, however many photos it has")

    def build(self, *, table: Table, batch: int, seed: int) -> Batches:
        """Batches of positions in the table; raises UserError where a batch cannot be filled."""
        from wildreid_plugins.samplers.packing import Packed

        return Packed(table, batch=batch, seed=seed, images=self.images, balanced=self.balanced, spread=True)
