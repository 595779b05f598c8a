"""The study: where every trial is recorded, shared by all workers, bound to one space."""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wildreid.errors import UserError
from wildreid.search.load import Search, short_hash

if TYPE_CHECKING:
    from optuna import Study
    from optuna.storages import RDBStorage
    from optuna.trial import FrozenTrial

FILE = "study.db"
DRIVERS = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
"""The driver where a URL names none: psycopg 3, which `pip install 'wildreid[postgres]'` brings."""

ATTEMPTS = 3
"""How often a configuration is begun whose worker is killed each time; perhaps it is what kills them."""


def open_study(search: Search, storage: str, *, join: bool = False, grace: int = 60) -> Study:
    """Find the study of this search in a database, or begin it there.

    Args:
        search: what is searched.
        storage: a database's URL, or the path of a file.
        join: the study must be there already, so that a mistyped URL begins no second one.
        grace: seconds after which a worker that gives no sign of life is taken for dead.

    Raises:
        UserError: the database cannot be reached or read; there is no study to join; a study of that name
            searches another space.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    where = shown(storage)
    with reachable(where):
        database = _database(url(storage), grace)
        names = {study.study_name for study in database.get_all_studies()}
        if join and search.name not in names:
            raise UserError(
                f"there is no study '{search.name}' to join; there are: {', '.join(sorted(names)) or 'none'}",
                where=where,
                cure="begin it without `join=True`, or correct `storage=…` or `name=…`",
            )
        study = optuna.create_study(
            study_name=search.name, storage=database, direction="maximize", load_if_exists=True
        )
        identity = search.identity()
        if "space" not in study.user_attrs:
            study.set_user_attr("identity", json.dumps(identity, default=str))
            study.set_user_attr("space", short_hash(identity))
        if study.user_attrs["space"] != short_hash(identity):
            there = json.loads(study.user_attrs["identity"])
            differences = list(_differences(there, json.loads(json.dumps(identity, default=str))))
            raise UserError(
                f"the study '{search.name}' searches another space or another recipe: "
                + "; ".join(differences[:4]),
                where=where,
                cure="give this search another `name=…`; the study that is there stays as it is",
            )
    return study


def url(storage: str) -> str:
    """The URL of a storage that may be given as a file; PostgreSQL's with the driver of our extra."""
    scheme, apart, rest = storage.partition("://")
    if not apart:
        return f"sqlite:///{Path(storage).absolute()}"
    return f"{DRIVERS.get(scheme, scheme)}://{rest}"


def shown(storage: str) -> str:
    """A storage as it may be shown: a URL without its password."""
    if "://" not in storage:
        return storage
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(storage).render_as_string(hide_password=True)
    except ArgumentError:
        return "`storage=…`"


@contextmanager
def reachable(where: str) -> Iterator[None]:
    """Say in one clear message that the storage cannot be reached, or no longer."""
    from optuna.exceptions import StorageInternalError
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except ImportError as error:
        driver = error.__cause__ or error
        raise UserError(
            f"the driver of this kind of database is not installed: {driver}",
            where=where,
            cure="for PostgreSQL: pip install 'wildreid[postgres]'; "
            "for MySQL: pip install PyMySQL, and a URL that begins with mysql+pymysql://",
        ) from None
    except (SQLAlchemyError, StorageInternalError) as error:
        cause = error.__cause__ if isinstance(error, StorageInternalError) and error.__cause__ else error
        first = str(getattr(cause, "orig", None) or cause).strip().split("\n")[0]
        raise UserError(
            f"the storage cannot be reached: {first}",
            where=where,
            cure="check that it runs and that URL, user and password are right; nothing recorded is lost: "
            "the same command goes on from there",
        ) from None


def again(study: Study, trial: FrozenTrial) -> None:
    """Put a trial whose worker was killed or stopped back in line, unless it was so too often.

    One that was killed before it was drawn whole has nothing to put back.
    """
    from optuna.trial import TrialState, create_trial

    attempts = [*trial.user_attrs.get("attempts", ()), trial.number]
    if "key" not in trial.user_attrs or len(attempts) >= ATTEMPTS:
        return
    study.add_trial(
        create_trial(
            state=TrialState.WAITING,
            params=trial.params,
            distributions=trial.distributions,
            user_attrs={"key": trial.user_attrs["key"], "attempts": attempts},
        )
    )


def fail_silent(study: Study) -> None:
    """Mark the trials whose worker gives no sign of life any more, and put them back in line."""
    from optuna.exceptions import ExperimentalWarning
    from optuna.storages import fail_stale_trials

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        fail_stale_trials(study)


def _database(url: str, grace: int) -> RDBStorage:
    """The database with its tables; two workers that make them at once get in each other's way."""
    from optuna.exceptions import ExperimentalWarning
    from optuna.storages import RDBStorage
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.pool import NullPool

    if url.startswith("sqlite:///"):
        folder = Path(url.removeprefix("sqlite:///")).parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(
                f"the study's folder cannot be made: {error.strerror}", where=str(folder)
            ) from None
    engine: dict[str, Any] = {"poolclass": NullPool}  # no connection is left open between two questions
    if url.startswith("sqlite"):
        engine["connect_args"] = {"timeout": 60}  # a lock is waited for
    for attempt in range(3):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ExperimentalWarning)
                return RDBStorage(
                    url,
                    engine_kwargs=engine,
                    heartbeat_interval=max(1, grace // 4),
                    grace_period=grace,
                    heartbeat_stale_trial_callback=again,
                )
        except SQLAlchemyError:
            if attempt == 2:
                raise
            time.sleep(0.5)
        except RuntimeError as error:  # the tables are another version of optuna's
            raise UserError(f"the storage cannot be used: {error}", where=shown(url)) from None
    raise AssertionError


def _differences(there: Any, here: Any, at: str = "") -> Iterator[str]:
    if isinstance(there, Mapping) and isinstance(here, Mapping):
        for key in dict.fromkeys([*there, *here]):
            if there.get(key) != here.get(key):
                yield from _differences(there.get(key), here.get(key), f"{at}.{key}" if at else key)
    else:
        yield f"{at} is {there!r} there and {here!r} here"
