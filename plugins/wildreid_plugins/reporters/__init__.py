"""The built-in reporters."""

from wildreid.hookspecs import hookimpl
from wildreid.kinds import Reporter


@hookimpl
def wildreid_reporters() -> list[type[Reporter]]:
    """What `wildreid.hookspecs.wildreid_reporters` asks for."""
    return []
