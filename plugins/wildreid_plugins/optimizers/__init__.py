"""The built-in optimizers."""

from wildreid.hookspecs import hookimpl
from wildreid.kinds import Optimizer


@hookimpl
def wildreid_optimizers() -> list[type[Optimizer]]:
    """What `wildreid.hookspecs.wildreid_optimizers` asks for."""
    return []
