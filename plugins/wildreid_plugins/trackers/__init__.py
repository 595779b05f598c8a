"""The built-in trackers."""

from wildreid.hookspecs import hookimpl
from wildreid.kinds import Tracker
from wildreid_plugins.trackers.jsonl import Jsonl
from wildreid_plugins.trackers.mlflow import Mlflow
from wildreid_plugins.trackers.tensorboard import Tensorboard


@hookimpl
def wildreid_trackers() -> list[type[Tracker]]:
    """What `wildreid.hookspecs.wildreid_trackers` asks for."""
    return [Jsonl, Tensorboard, Mlflow]
