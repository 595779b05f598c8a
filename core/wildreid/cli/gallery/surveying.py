"""Options that say how a gallery is read as a survey; the commands about populations share them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wildreid.errors import UserError

if TYPE_CHECKING:
    from wildreid.population.design import Design

Deployments = Annotated[
    Path,
    typer.Option(
        metavar="FILE",
        help="CSV of cameras: station, start, end; where known deployment, camera, latitude and longitude or x "
        "and y, coordinate_uncertainty, problem1_from, problem1_to.",
    ),
]
OccasionDays = Annotated[int, typer.Option(min=1, metavar="DAYS", help="Length of an occasion.")]
StartHour = Annotated[
    int, typer.Option(min=0, max=23, help="Hour at which occasions begin; 12 keeps a night whole.")
]
Since = Annotated[str, typer.Option(metavar="DATE", help="Leave out what was before.")]
Until = Annotated[str, typer.Option(metavar="DATE", help="Leave out what was from this date on.")]
Timezone = Annotated[str, typer.Option(metavar="ZONE", help="Of the cameras' clocks, as in Europe/Brussels.")]
Partial = Annotated[bool, typer.Option("--partial", help="Keep a last occasion that is not complete.")]
Independent = Annotated[
    bool,
    typer.Option("--cameras-independent", help="Two cameras of a station that look at once count twice."),
]
DropOutside = Annotated[
    bool,
    typer.Option(
        "--drop-outside",
        help="Leave out photos for which no camera was looking, and list them; without it they are an error.",
    ),
]
Include = Annotated[
    list[str] | None,
    typer.Option(metavar="machine", help="Take identities that a machine gave too; every file says so."),
]
MinProbability = Annotated[
    float, typer.Option(min=0, max=1, help="With --include machine: those of at least this probability.")
]
Species = Annotated[
    str, typer.Option(metavar="NAME", help="This one alone; photos that name none are taken to be of it.")
]
Side = Annotated[
    str,
    typer.Option(
        metavar="SIDE",
        help="left, right: photos of that side; linked: individuals photographed from both; both: all.",
    ),
]
Private = Annotated[
    bool,
    typer.Option("--private", help="Write places, names of stations and files as they are: not for others."),
]
Precision = Annotated[
    int, typer.Option(min=1, max=3, help="Decimals of a degree that a public export gives.")
]
StationNames = Annotated[
    bool,
    typer.Option(
        "--station-names",
        help="Keep names of stations, cameras and files in public: only if they are codes that reveal no place.",
    ),
]


def takes_machine(include: list[str] | None) -> bool:
    """Whether identities of a machine are taken; there is nothing else to include.

    Raises:
        UserError: something else is named.
    """
    if other := set(include or ()) - {"machine"}:
        raise UserError(
            f"there is no '{sorted(other)[0]}' to include", where="--include", cure="--include machine"
        )
    return bool(include)


def say_survey(design: Design, left: dict[str, int], notes: tuple[str, ...]) -> None:
    """Print what was left out, what one should know, and, loudly, that places are told."""
    from wildreid.cli.gallery import printing

    for reason, count in left.items():
        printing.say(f"  left out: {count} {'photo' if count == 1 else 'photos'}: {reason}")
    for note in notes:
        printing.say(f"note: {note}")
    if design.private:
        printing.say(
            "PRIVATE: this says where the animals live, and what places are called. Give it to nobody who must "
            "not know.",
            style="bold red",
        )
