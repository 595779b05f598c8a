"""Any optimizer of timm by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pydantic import Field

from wildreid.errors import UserError
from wildreid.option import did_you_mean
from wildreid_plugins.optimizers.rates import Rated

if TYPE_CHECKING:
    import torch


class Timm(Rated):
    """Any optimizer of timm by name, such as lamb, lion or nadamw, with its own options.

    `timm.optim.list_optimizers()` lists the names.
    """

    name = "timm"
    optimizer: str = Field("nadamw", min_length=1, description="the optimizer's name in timm")
    options: dict[str, bool | int | float | str | tuple[float, ...]] = Field(
        {}, description="arguments of that optimizer, such as {betas: [0.9, 0.99]}"
    )

    def of(self, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
        """That optimizer over these groups.

        Raises:
            UserError: no such optimizer, or one that does not take these options.
        """
        from timm import optim as timm_optim

        optim: Any = timm_optim  # timm's own exports are not marked as such

        known = [str(name) for name in optim.list_optimizers()]
        if self.optimizer not in known:
            raise UserError(
                f"timm has no optimizer named '{self.optimizer}'{did_you_mean(self.optimizer, known)}",
                where="optimizer.optimizer",
                cure="python -c 'import timm; print(timm.optim.list_optimizers())' lists them",
            )
        try:
            create: Callable[..., torch.optim.Optimizer] = optim.create_optimizer_v2
            made = create(groups, opt=self.optimizer, lr=self.backbone_rate, weight_decay=0.0, **self.options)
        except (TypeError, ValueError) as error:
            raise UserError(
                f"timm's optimizer {self.optimizer} does not take these options: {error}",
                where="optimizer.options",
            ) from None
        return made
