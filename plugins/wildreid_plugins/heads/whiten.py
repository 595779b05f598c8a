"""Whitening by what differs within individuals: learned from the training photos without training."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pydantic import Field, SerializeAsAny

from wildreid.errors import UserError
from wildreid.kinds import Head
from wildreid_plugins.heads.identity import Identity

if TYPE_CHECKING:
    from torch import Tensor, nn

SHRINKAGES = (10.0, 3.0, 1.0, 0.3, 0.1, 0.03, 0.01)
"""What is tried on val, the least daring first, which wins a tie."""


class Whiten(Head):
    """Within-class whitening, fitted on train: directions in which photos of one animal differ count less.

    x goes to (x - mean) (W + s tr(W) / d I)^(-1/2), for x of unit length and d numbers; W is the covariance of
    x within individuals of the training part, s the shrinkage. Nothing is learned by gradient. Behind a trained
    head (``of``) it is fitted on what that head gives, once training is over.

    Source: Mikolajczyk & Matas 2007, "Improving Descriptors for Fast Tree Matching by Optimal Linear
    Projection"; the shrinkage towards the sphere is Ledoit & Wolf's (2004) target.
    """

    name = "whiten"
    of: SerializeAsAny[Head] = Field(Identity(), description="the head before it; identity: the features")
    shrinkage: float | None = Field(
        None, ge=0, description="share of the mean variance added to each direction; null: chosen on val"
    )

    @property
    def chooses(self) -> bool:  # type: ignore[override]
        """Whether the shrinkage, or something of the head before it, is chosen on val."""
        return self.shrinkage is None or self.of.chooses

    def build(self, *, width: int) -> nn.Module:
        """(N, width) to (N, as wide as the head before it); until it is fitted, what that head gives."""
        import torch
        from torch import nn
        from torch.nn.functional import normalize

        asked, inner = self.shrinkage, self.of.build(width=width)

        class Module(nn.Module):
            mean: Tensor
            matrix: Tensor
            shrinkage: Tensor

            def __init__(self) -> None:
                super().__init__()
                self.before = inner
                self.width = int(inner.width)  # type: ignore[arg-type]
                self.register_buffer("mean", torch.zeros(self.width))
                self.register_buffer("matrix", torch.eye(self.width))
                self.register_buffer("shrinkage", torch.tensor(float("nan")))

            def forward(self, features: Tensor) -> Tensor:
                return self.after(normalize(self.before(features)))

            def after(self, vectors: Tensor) -> Tensor:
                whitened: Tensor = (vectors - self.mean) @ self.matrix
                return whitened

            def fit(self, vectors: Tensor, labels: Tensor, judge: Callable[[], float] | None) -> str:
                mean, values, axes = within(vectors, labels)
                self.mean.copy_(mean)

                def fill(shrinkage: float) -> None:
                    self.matrix.copy_(axes @ torch.diag(inverse_root(values, shrinkage)) @ axes.T)
                    self.shrinkage.fill_(shrinkage)

                if asked is not None or judge is None:
                    fill(1.0 if asked is None else asked)
                    return f"shrinkage {float(self.shrinkage):g}, {'as asked' if asked is not None else 'unchosen'}"
                figures = {}
                for shrinkage in SHRINKAGES:
                    fill(shrinkage)
                    figures[shrinkage] = judge()
                best = max(figures, key=lambda shrinkage: figures[shrinkage])
                fill(best)
                return f"shrinkage {best:g}, chosen on val ({figures[best]:.3f})"

        return Module()


def within(vectors: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(d,) the mean, (d,) the variances and (d, d) the axes, in columns, of what differs within classes.

    Raises:
        UserError: no class has two vectors.
    """
    import torch

    x = vectors.double()
    _, place, sizes = torch.unique(labels, return_inverse=True, return_counts=True)
    if int(sizes.max()) < 2:
        raise UserError(
            "no individual of the training part has two photos, so what differs within one cannot be learned",
            where="head",
            cure="take the head pca, or identity",
        )
    centres = torch.zeros(len(sizes), x.shape[1], dtype=x.dtype, device=x.device)
    centres = centres.index_add_(0, place, x) / sizes[:, None]
    apart = x - centres[place]
    values, axes = torch.linalg.eigh(apart.T @ apart / len(x))
    return x.mean(0).float(), values.clamp(min=0), axes


def inverse_root(values: Tensor, shrinkage: float) -> Tensor:
    """The variances with their shrinkage added, to the power of -1/2, so that their mean square is one.

    Raises:
        UserError: a variance of zero and no shrinkage.
    """
    total = values + shrinkage * values.mean()
    if float(total.min()) <= 1e-12 * float(total.max()) or not float(total.max()):
        raise UserError(
            "the training photos leave directions in which nothing differs, and a shrinkage of "
            f"{shrinkage:g} does not fill them",
            where="head.shrinkage",
            cure="set head.shrinkage to 0.1 or more, or leave it out",
        )
    roots = total.rsqrt()
    return roots / roots.square().mean().sqrt()
