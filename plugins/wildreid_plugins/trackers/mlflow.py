"""MLflow: a local database beside the runs, or a server."""

from __future__ import annotations

import json
import os
import re
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from wildreid.errors import Interrupted, UserError
from wildreid.kinds import Tracker

if TYPE_CHECKING:
    from wildreid.artefacts import Results
    from wildreid.kinds import Log, Run

TOLD = "mlflow.json"
"""Says in the run's folder which run of which store it is, so that a resumed run goes on there."""
LONGEST = 500
"""Characters of a recipe's value that MLflow shows as a parameter; the whole recipe is an artifact."""


class Mlflow(Tracker):
    """An MLflow run: numbers, pictures, the recipe, hashes and the report.

    Figures of the test part are in the report alone: a column of them invites choosing by them.
    """

    name = "mlflow"
    uri: str | None = Field(
        None,
        description="of a server, such as http://host:5000; null: MLFLOW_TRACKING_URI, else mlflow.db beside "
        "the run's folder",
    )
    experiment: str = Field("wildreid", min_length=1, description="name of the experiment")
    timeout: int = Field(5, ge=1, description="seconds to wait for a server, at each of three attempts")

    @contextmanager
    def open(self, *, run: Run) -> Iterator[Log]:
        """Begin a run, or go on with the one that this folder began."""
        with _patient(self.timeout):
            record = _begun(self, run)
            status = "FAILED"
            try:
                yield record
                status = "FINISHED"
            except (KeyboardInterrupt, Interrupted):
                status = "KILLED"
                raise
            finally:
                if record.answers:  # one that does not is not waited for again
                    record.client.set_terminated(record.run, status)


class Record:
    """What goes into the run."""

    def __init__(self, client: Any, run: str) -> None:
        self.client, self.run = client, run
        self.answers = True

    def log(self, step: int, values: Mapping[str, float], pictures: Mapping[str, Path] | None = None) -> None:
        """Add numbers and pictures at a step; ``accuracy@1`` is ``accuracy_at_1`` there."""
        from mlflow.entities import Metric
        from PIL import Image

        now = int(time.time() * 1000)
        with self._asking():
            if values:
                metrics = [Metric(_key(name), float(value), now, step) for name, value in values.items()]
                self.client.log_batch(self.run, metrics=metrics)
            for name, path in (pictures or {}).items():
                with Image.open(path) as image:
                    self.client.log_image(self.run, image.convert("RGB"), key=_key(name), step=step)

    def report(self, results: Results, paths: Sequence[Path]) -> None:
        """Add the report's files, and ``run.json``."""
        with self._asking():
            self.client.log_dict(self.run, _plain(results.run), "run.json")
            for path in paths:
                self.client.log_artifact(self.run, str(path), "report")

    @contextmanager
    def _asking(self) -> Iterator[None]:
        self.answers = False
        yield
        self.answers = True


def _begun(options: Mlflow, run: Run) -> Record:
    """A new run of the store, or the one that the run's folder names, with recipe and hashes."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # it would tell its makers of each use
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of its own affairs
            from mlflow import MlflowClient
            from mlflow.entities import Param
    except ImportError as error:
        raise UserError(f"mlflow is not installed ({error})", cure="pip install 'wildreid[mlflow]'") from None

    beside = run.folder.absolute().parent
    uri = options.uri or os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{beside / 'mlflow.db'}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        client = MlflowClient(uri)
        if (found := _found(client, run.folder / TOLD, uri)) is not None:
            client.update_run(found, status="RUNNING")
            return Record(client, found)
        experiment = _experiment(client, options.experiment, beside if uri.startswith("sqlite") else None)
        made = client.create_run(
            experiment, run_name=run.name, tags={f"hash.{name}": value for name, value in run.hashes.items()}
        )
        params = [Param(_key(name), text) for name, text in _flat(run.recipe) if len(text) <= LONGEST]
        for begin in range(0, len(params), 100):  # the most that a server takes at once
            client.log_batch(made.info.run_id, params=params[begin : begin + 100])
        client.log_dict(made.info.run_id, _plain(run.recipe), "recipe.yaml")
    (run.folder / TOLD).write_text(json.dumps({"uri": uri, "run": made.info.run_id}) + "\n", encoding="utf-8")
    return Record(client, made.info.run_id)


def _found(client: Any, told: Path, uri: str) -> str | None:
    """The run that this folder began in this store, where it is still there."""
    from mlflow.exceptions import MlflowException

    if not told.is_file():
        return None
    before = json.loads(told.read_text(encoding="utf-8"))
    if before["uri"] != uri:
        return None
    try:
        made = client.get_run(before["run"])
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return None
    return str(made.info.run_id) if made.info.lifecycle_stage == "active" else None


def _experiment(client: Any, name: str, beside: Path | None) -> str:
    """The experiment of that name, made where there is none; a local one keeps its files beside the runs."""
    found = client.get_experiment_by_name(name)
    if found is not None:
        return str(found.experiment_id)
    place = None if beside is None else (beside / "mlflow").as_uri()
    return str(client.create_experiment(name, artifact_location=place))


@contextmanager
def _patient(seconds: int) -> Iterator[None]:
    """Let MLflow wait so long, not the minutes that are its default; what the user has set is respected."""
    wanted = {
        "MLFLOW_HTTP_REQUEST_TIMEOUT": str(seconds),
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
        "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    }
    ours = {name: value for name, value in wanted.items() if name not in os.environ}
    os.environ.update(ours)
    try:
        yield
    finally:
        for name in ours:
            os.environ.pop(name, None)


def _key(name: str) -> str:
    """A name of those characters that MLflow takes."""
    return re.sub(r"[^\w./ :-]", "_", name.replace("@", "_at_"))


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Nested plain data as dotted names and texts."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _flat(item, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list | tuple) and any(isinstance(item, Mapping) for item in value):
        for n, item in enumerate(value, 1):
            yield from _flat(item, f"{name}.{n}")
    else:
        yield name, value if isinstance(value, str) else json.dumps(value, default=str)


def _plain(value: Mapping[str, Any]) -> Any:
    return json.loads(json.dumps(value, default=str))
