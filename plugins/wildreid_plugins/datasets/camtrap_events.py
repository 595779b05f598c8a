"""Events of a Camtrap DP package: which photos are of which, and what is said of an event as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

PRIVATE = ("human", "vehicle")
"""Observations of these make a photo private."""


def event_key(rows: pd.DataFrame) -> pd.Series[Any]:
    """An event's name, which is unique only within its deployment."""
    return rows["deploymentID"] + " " + rows["eventID"]


def events_of(observed: pd.DataFrame) -> pd.DataFrame:
    """A row for each event that has rows of its own: from when to when, and whether its photos speak.

    ``animals`` is how many of its rows are animals, ``one`` the index of the row where that is a single
    individual, ``private`` whether people were there.
    """
    import pandas as pd

    whole = observed[(observed["observationLevel"] == "event") & observed["event"].notna()]
    animal = whole[whole["observationType"] == "animal"]
    spoken = observed.loc[observed["observationLevel"] == "media", "event"].dropna().unique()
    by = whole.groupby("event")
    events = pd.DataFrame(
        {
            "deploymentID": by["deploymentID"].first(),
            "start": instants(whole["eventStart"]).groupby(whole["event"]).min(),
            "end": instants(whole["eventEnd"]).groupby(whole["event"]).max(),
            "private": whole["observationType"].isin(PRIVATE).groupby(whole["event"]).any(),
        }
    )
    events["animals"] = animal.groupby("event").size().reindex(events.index).fillna(0).astype(int)
    single = animal[~animal["event"].duplicated(keep=False) & ~several(animal)]
    events["one"] = pd.Series(single.index, index=single["event"]).reindex(events.index)
    events["photos speak"] = events.index.isin(spoken)
    return events


def several(rows: pd.DataFrame) -> pd.Series[Any]:
    """Whether an observation counts more than one animal."""
    import pandas as pd

    return pd.to_numeric(rows["count"], errors="coerce").fillna(1) > 1


def instants(values: pd.Series[Any]) -> pd.Series[Any]:
    """Moments in universal time; missing where a text is none."""
    import pandas as pd

    return pd.to_datetime(values, utc=True, format="ISO8601", errors="coerce").astype("datetime64[us, UTC]")


def event_of(photos: pd.DataFrame, observed: pd.DataFrame, events: pd.DataFrame) -> pd.Series[Any]:
    """The event of each photo: what its observations say, else that of its deployment in which it was taken."""
    import pandas as pd

    told = observed[observed["mediaID"].notna() & observed["event"].notna()].drop_duplicates("mediaID")
    own = photos["mediaID"].map(told.set_index("mediaID")["event"])
    asked = pd.DataFrame({"deploymentID": photos["deploymentID"], "at": instants(photos["timestamp"])})
    asked = asked[asked["at"].notna() & asked["deploymentID"].notna()].sort_values("at", kind="stable")
    spans = events.reset_index(names="event").dropna(subset=["start", "end"]).sort_values("start")
    if spans.empty or asked.empty:
        return own.astype("string")
    found = pd.merge_asof(
        asked.reset_index(names="row"),
        spans[["deploymentID", "start", "end", "event"]],
        left_on="at",
        right_on="start",
        by="deploymentID",
    )
    found = found[found["at"] <= found["end"]].set_index("row")
    return own.astype("string").fillna(found["event"].reindex(photos.index).astype("string"))


def spoken_by_event(photos: pd.DataFrame, observed: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
    """Photos of which nobody speaks but their event: rows with what its one animal's row says.

    ``several`` is how many animals the event has where they cannot be told apart.
    """
    silent = ~photos["mediaID"].isin(observed["mediaID"].dropna()) & photos["here"]
    candidates = photos[silent & photos["event"].isin(events.index[~events["photos speak"]])]
    event = events.loc[candidates["event"]].set_axis(candidates.index)
    event = event[event["animals"] > 0]
    said = observed.reindex(event["one"].astype("Float64").fillna(-1).astype(int)).set_axis(event.index)
    return said.assign(
        observationLevel="photo",
        observationType="animal",
        mediaID=candidates["mediaID"].reindex(event.index),
        deploymentID=candidates["deploymentID"].reindex(event.index),
        event=candidates["event"].reindex(event.index),
        observationID=candidates["mediaID"].reindex(event.index),
        several=event["animals"].where(event["one"].isna(), 1),
        private=event["private"],
    )
