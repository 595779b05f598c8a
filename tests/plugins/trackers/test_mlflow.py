"""An MLflow run in a local store; and a server that is not there, or no longer answers."""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from tests.plugins.trackers import told

from wildreid.errors import Interrupted, UserError
from wildreid_plugins.trackers.mlflow import Mlflow

pytest.importorskip("mlflow", reason="the extra is not installed")


@pytest.fixture(autouse=True)
def _no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


def begun_and_stopped(run: told.Run) -> None:
    with Mlflow().open(run=run) as log:
        for step in (1, 2):
            log.log(step, {"loss": 1.0 / step, "accuracy@1": 0.25})
        raise Interrupted("stopped")


def test_a_run_and_its_resumption_in_a_local_store(tmp_path: Path) -> None:
    run = told.run(tmp_path)
    with pytest.raises(Interrupted):
        begun_and_stopped(run)
    before = json.loads((run.folder / "mlflow.json").read_text())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from mlflow import MlflowClient

        client = MlflowClient(before["uri"])
    assert client.get_run(before["run"]).info.status == "KILLED"
    with Mlflow().open(run=run) as log:
        log.log(3, {"loss": 0.25})
        log.log(1, {}, {"umap": told.picture(run.folder)})
        log.report(told.RESULTS, [told.report(run.folder)])  # type: ignore[attr-defined]
    assert json.loads((run.folder / "mlflow.json").read_text()) == before
    made = client.get_run(before["run"])
    assert made.info.status == "FINISHED"
    assert made.data.tags["hash.inputs"] == "c0ffee"
    assert made.data.params["loss.margin"] == "0.2"
    assert made.data.params["transforms.1.name"] == "blur"
    points = client.get_metric_history(before["run"], "loss")
    assert sorted((point.step, point.value) for point in points) == [(1, 1.0), (2, 0.5), (3, 0.25)]
    assert set(made.data.metrics) == {"loss", "accuracy_at_1"}, "no figure of the test part"
    files = {file.path for file in client.list_artifacts(before["run"])}
    assert {"recipe.yaml", "run.json", "report", "images"} <= files
    assert [file.path for file in client.list_artifacts(before["run"], "report")] == ["report/index.html"]
    assert (tmp_path / "runs/mlflow.db").is_file()
    assert not [name for name in os.environ if name.startswith("MLFLOW_HTTP")]


class Server(ThreadingHTTPServer):
    """As much of a server as a run needs; when `silent` is set it takes requests and does not answer."""

    daemon_threads = True

    def __init__(self) -> None:
        self.silent, self.over, self.asked = Event(), Event(), list[str]()
        super().__init__(("127.0.0.1", 0), Answer)


class Answer(BaseHTTPRequestHandler):
    """One request."""

    server: Server

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(length)
        path = self.path.split("?")[0].rpartition("/mlflow/")[2]
        self.server.asked.append(path)
        if self.server.silent.is_set():
            self.server.over.wait(60)
            return
        run = {"info": {"run_id": "r1", "experiment_id": "1", "status": "RUNNING", "artifact_uri": "x:/"}}
        told: dict[str, Any] = {"experiment": {"experiment_id": "1", "name": "wildreid"}, "run": run}
        text = json.dumps(told if "log" not in path else {}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_POST = do_GET  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    from mlflow import MlflowClient

    monkeypatch.setattr(MlflowClient, "log_dict", lambda *_, **__: None)  # files go another way
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "0")
    with Server() as one:
        Thread(target=one.serve_forever, daemon=True).start()
        yield one
        one.over.set()
        one.shutdown()


def test_a_server_that_stops_answering_is_an_error_in_time_and_is_not_asked_again(
    server: Server, tmp_path: Path
) -> None:
    tracker = Mlflow(uri=f"http://127.0.0.1:{server.server_port}", timeout=1)
    answered = 0

    def track() -> None:
        nonlocal answered
        with tracker.open(run=told.run(tmp_path)) as log:
            log.log(1, {"loss": 1.0})
            server.silent.set()
            answered = len(server.asked)
            log.log(2, {"loss": 0.5})

    with pytest.raises(Exception, match="timed out"):
        track()
    assert len(server.asked) - answered == 3, "three attempts, and none to close the run"


def test_a_server_that_is_not_there_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "0")
    tracker = Mlflow(uri="http://127.0.0.1:9", timeout=1)
    with pytest.raises(Exception, match="Max retries"), tracker.open(run=told.run(tmp_path)):
        pass


def test_without_the_extra_it_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with (
        pytest.raises(UserError, match=r"pip install 'wildreid\[mlflow\]'"),
        Mlflow().open(run=told.run(tmp_path)),
    ):
        pass
