"""The built-in matchers."""

from wildreid.hookspecs import hookimpl
from wildreid.kinds import Matcher
from wildreid_plugins.matchers.lightglue import Aliked, LightGlue
from wildreid_plugins.matchers.mutual import Mutual
from wildreid_plugins.matchers.sift import Sift


@hookimpl
def wildreid_matchers() -> list[type[Matcher]]:
    """What `wildreid.hookspecs.wildreid_matchers` asks for."""
    return [Mutual, LightGlue, Aliked, Sift]
