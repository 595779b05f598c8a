"""No head: the features are the embedding."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wildreid.kinds import Head

if TYPE_CHECKING:
    from torch import nn


class Identity(Head):
    """The backbone's features as they come."""

    name = "identity"

    def build(self, *, width: int) -> nn.Module:
        """(N, width) to the same."""
        from torch import nn

        head = nn.Identity()
        head.width = width  # type: ignore[assignment]
        return head
