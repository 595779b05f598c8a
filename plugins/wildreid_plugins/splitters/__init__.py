"""The built-in splitters."""

from wildreid.hookspecs import hookimpl
from wildreid.kinds import Splitter


@hookimpl
def wildreid_splitters() -> list[type[Splitter]]:
    """What `wildreid.hookspecs.wildreid_splitters` asks for."""
    return []
