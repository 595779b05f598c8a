"""Every individual equally often."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from wildreid.kinds import Sampler

if TYPE_CHECKING:
    from wildreid.data.table import Table
    from wildreid.kinds import Batches


class IdentityBalanced(Sampler):
    """A few images each of many individuals; every individual equally often, however many photos it has.

    This is what pytorch-metric-learning's MPerClassSampler does, except that no image comes twice in a batch.
    """

    name = "identity-balanced"
    images: int = Field(4, ge=2, le=64, description="images of one individual in a batch, at most")

    def build(self, *, table: Table, batch: int, seed: int) -> Batches:
        """Batches of positions in the table; raises UserError where a batch cannot be filled."""
        from wildreid_plugins.samplers.packing import Packed

        return Packed(table, batch=batch, seed=seed, images=self.images, balanced=True)
