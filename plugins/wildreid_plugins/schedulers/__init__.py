"""The built-in schedulers."""

from wildreid.hookspecs import hookimpl
from wildreid.kinds import Scheduler
from wildreid_plugins.schedulers.constant import Constant
from wildreid_plugins.schedulers.cosine import Cosine
from wildreid_plugins.schedulers.plateau import Plateau
from wildreid_plugins.schedulers.step import Step


@hookimpl
def wildreid_schedulers() -> list[type[Scheduler]]:
    """What `wildreid.hookspecs.wildreid_schedulers` asks for."""
    return [Constant, Cosine, Plateau, Step]
