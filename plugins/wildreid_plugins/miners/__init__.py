"""The built-in miners."""

from wildreid.hookspecs import hookimpl
from wildreid.kinds import Miner


@hookimpl
def wildreid_miners() -> list[type[Miner]]:
    """What `wildreid.hookspecs.wildreid_miners` asks for."""
    return []
