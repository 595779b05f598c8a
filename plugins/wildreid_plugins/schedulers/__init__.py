"""The built-in schedulers."""

from wildreid.hookspecs import hookimpl
from wildreid.kinds import Scheduler


@hookimpl
def wildreid_schedulers() -> list[type[Scheduler]]:
    """What `wildreid.hookspecs.wildreid_schedulers` asks for."""
    return []
