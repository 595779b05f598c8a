"""A search from its file to its page."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from wildreid.errors import UserError
from wildreid.progress import note, say
from wildreid.search import board
from wildreid.search.final import finish
from wildreid.search.ledger import Entry, entries
from wildreid.search.load import Search
from wildreid.search.page import write_page
from wildreid.search.study import FILE, open_study, reachable, shown
from wildreid.search.worker import Worker
from wildreid.training.device import pick_device


def run_search(
    search: Search,
    *,
    out: str | Path = "runs",
    trials: int | None = None,
    timeout: float | None = None,
    storage: str | None = None,
    join: bool = False,
    final: bool = False,
    grace: int = 60,
    show: Callable[[list[Entry], Mapping[str, Any] | None, Path], None] = lambda listed, found, page: None,
) -> list[Entry]:
    """Work on a study until it has its trials, then show what it holds.

    Called again, it goes on; called in several processes, or on several machines with one `storage`, these
    share the study. However it ends, the leaderboard, ``leaderboard.csv`` and ``index.html`` are written.

    Args:
        search: what `load_search` gave.
        out: the folder of run folders; the study's is in it, by its name.
        trials: configurations in all, those of other workers included; None: as the file says.
        timeout: seconds after which no further trial is begun.
        storage: a database's URL or a file; None: ``study.db`` in the study's folder.
        join: the study must be there already.
        final: afterwards score the winner on the test part, from several seeds.
        grace: seconds after which a worker that gives no sign of life is taken for dead.
        show: is given what is returned, what ``final.json`` holds (None: not scored), and the page, once they
            are written, however the search ends.

    Returns:
        Each configuration of the study once, by number.

    Raises:
        UserError: what the user can correct; nothing recorded is lost.
        Interrupted: Ctrl-C or SIGTERM; the same command goes on.
    """
    pick_device(search.base.recipe.device)
    folder = Path(out) / search.name
    storage = storage or str(folder / FILE)
    where = shown(storage)
    for text in search.base.notes:
        note(text)
    study = open_study(search, storage, join=join, grace=grace)
    folder.mkdir(parents=True, exist_ok=True)
    say(f"search  {folder}, study in {where}")
    wanted = search.plan.trials if trials is None else trials
    worker = Worker(search, study, folder, trials=wanted, timeout=timeout, grace=grace, where=where)
    found: Mapping[str, Any] | None = None
    try:
        say(f"done    {worker.work()}")
        if final:
            with reachable(where):
                finish(search, study, folder)
    finally:
        try:
            with reachable(where):
                listed = entries(study)
                found = json.loads(study.user_attrs["final"]) if "final" in study.user_attrs else None
                board.write_csv(folder / board.FILE, search, listed)
                page = write_page(search, study, folder, found)
        except UserError as error:  # the error on the way here says more
            note(f"no leaderboard: {error}")
        else:
            show(listed, found, page)
    return listed
