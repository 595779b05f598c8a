"""The built-in losses."""

from wildreid.hookspecs import hookimpl
from wildreid.kinds import Loss


@hookimpl
def wildreid_losses() -> list[type[Loss]]:
    """What `wildreid.hookspecs.wildreid_losses` asks for."""
    return []
