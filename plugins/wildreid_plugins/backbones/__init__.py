"""The built-in backbones."""

from wildreid.hookspecs import hookimpl
from wildreid.kinds import Backbone


@hookimpl
def wildreid_backbones() -> list[type[Backbone]]:
    """What `wildreid.hookspecs.wildreid_backbones` asks for."""
    return []
