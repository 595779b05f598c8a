"""The built-in optimizers."""

from wildreid.hookspecs import hookimpl
from wildreid.kinds import Optimizer
from wildreid_plugins.optimizers.adam import Adam
from wildreid_plugins.optimizers.adamw import AdamW
from wildreid_plugins.optimizers.sgd import Sgd
from wildreid_plugins.optimizers.timm import Timm


@hookimpl
def wildreid_optimizers() -> list[type[Optimizer]]:
    """What `wildreid.hookspecs.wildreid_optimizers` asks for."""
    return [Adam, AdamW, Sgd, Timm]
