"""The built-in reporters."""

from wildreid.hookspecs import hookimpl
from wildreid.kinds import Reporter
from wildreid_plugins.reporters.html import Html
from wildreid_plugins.reporters.terminal import Terminal


@hookimpl
def wildreid_reporters() -> list[type[Reporter]]:
    """What `wildreid.hookspecs.wildreid_reporters` asks for."""
    return [Terminal, Html]
