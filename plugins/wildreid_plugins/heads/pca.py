"""Principal components of the training photos, whitened: fewer numbers, learned without training."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pydantic import Field, SerializeAsAny

from wildreid.errors import UserError
from wildreid.kinds import Head
from wildreid_plugins.heads.identity import Identity

if TYPE_CHECKING:
    from torch import Tensor, nn


class Pca(Head):
    """The strongest principal components of the training photos, each divided by its deviation.

    Fitted on train once training is over; nothing is learned by gradient, and no identity is looked at.

    Source: Jégou & Chum 2012, "Negative Evidences and Co-occurences in Image Retrieval: The Benefit of PCA and
    Whitening".
    """

    name = "pca"
    width: int = Field(128, ge=2, le=8192, description="components to keep, the strongest")
    whiten: bool = Field(True, description="divide each by its standard deviation; false: only turn")
    of: SerializeAsAny[Head] = Field(Identity(), description="the head before it; identity: the features")

    @property
    def chooses(self) -> bool:  # type: ignore[override]
        """Whether something of the head before it is chosen on val."""
        return self.of.chooses

    def build(self, *, width: int) -> nn.Module:
        """(N, width) to (N, self.width); until it is fitted, the first so many numbers.

        Raises:
            UserError: more components than the head before it gives numbers.
        """
        import torch
        from torch import nn
        from torch.nn.functional import normalize

        inner, kept, whiten = self.of.build(width=width), self.width, self.whiten
        given = int(inner.width)  # type: ignore[arg-type]
        if kept > given:
            raise UserError(
                f"{kept} components of {given} numbers",
                where="head.width",
                cure=f"set head.width to {given} at most",
            )

        class Module(nn.Module):
            mean: Tensor
            matrix: Tensor

            def __init__(self) -> None:
                super().__init__()
                self.before = inner
                self.width = kept
                self.register_buffer("mean", torch.zeros(given))
                self.register_buffer("matrix", torch.eye(given, kept))

            def forward(self, features: Tensor) -> Tensor:
                return self.after(normalize(self.before(features)))

            def after(self, vectors: Tensor) -> Tensor:
                turned: Tensor = (vectors - self.mean) @ self.matrix
                return turned

            def fit(self, vectors: Tensor, labels: Tensor, judge: Callable[[], float] | None) -> str:
                x = vectors.double()
                mean = x.mean(0)
                values, axes = torch.linalg.eigh((x - mean).T @ (x - mean) / len(x))
                values, axes = values.flip(0)[:kept], axes.flip(1)[:, :kept]
                if float(values.min()) <= 1e-10 * float(values.max()) or not float(values.max()):
                    rank = int((values > 1e-10 * values.max()).sum())
                    raise UserError(
                        f"the {len(x)} training photos differ in {rank} directions, not in {kept}",
                        where="head.width",
                        cure=f"set head.width to {max(rank, 2)} at most",
                    )
                scale = values.rsqrt() if whiten else torch.ones_like(values)
                self.mean.copy_(mean)
                self.matrix.copy_(axes * (scale / scale.square().mean().sqrt()))
                told = float(values.sum() / (x - mean).square().sum(1).mean())
                return f"{kept} components, {100 * told:.0f} % of the variance"

        return Module()
