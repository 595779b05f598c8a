"""The built-in exporters."""

from wildreid.hookspecs import hookimpl
from wildreid.kinds import Exporter
from wildreid_plugins.exporters.camtrap_dp import CamtrapDP
from wildreid_plugins.exporters.camtrapr import CamtrapR
from wildreid_plugins.exporters.csv import Csv
from wildreid_plugins.exporters.mark import Mark
from wildreid_plugins.exporters.oscr import Oscr
from wildreid_plugins.exporters.secr import Secr
from wildreid_plugins.exporters.wildbook import Wildbook


@hookimpl
def wildreid_exporters() -> list[type[Exporter]]:
    """What `wildreid.hookspecs.wildreid_exporters` asks for."""
    return [CamtrapDP, CamtrapR, Csv, Mark, Oscr, Secr, Wildbook]
