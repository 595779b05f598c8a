"""`reid embed`: the embeddings of a table, in shards that any scheduler can spread over many machines."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from wildreid.cli.arguments import Device


def embed(
    model: Annotated[
        Path | None,
        typer.Argument(metavar="MODEL", help="A run, or what `reid export` wrote.", show_default=False),
    ] = None,
    table: Annotated[
        Path | None,
        typer.Argument(
            metavar="TABLE",
            help="Photos: a CSV or Parquet table, a folder, a run, or a recipe.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The folder of shards, the same for all of them.")
    ] = None,
    shards: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="How many shards; one for each 4096 rows if not given."),
    ] = None,
    shard: Annotated[
        int | None,
        typer.Option(
            min=0, metavar="I", help="The shard to embed, from 0 to N − 1; all of them if not given."
        ),
    ] = None,
    join: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Put the shards of this folder together, in DIR/joined."),
    ] = None,
    root: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="What the table's paths are relative to; its own folder if not given."
        ),
    ] = None,
    dask: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="All shards on the Dask cluster whose scheduler is here, as tcp://host:8786.",
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="All shards by N processes of this machine, through Dask."),
    ] = None,
    device: Device = None,
) -> None:
    """Embed a table in shards, each by a process of its own; then join them.

    A shard that is there already is not embedded again, so a job that was killed is simply started again. However
    many shards there are, the same machine joins them to the same bytes.

    Example: [bold]reid embed runs/bears photos.csv --out shards --shards 64 --shard 7[/]

    Example: [bold]reid embed runs/bears photos.csv --out shards --workers 2[/]

    Example: [bold]reid embed --join shards[/]
    """
    from wildreid.progress import bar, say

    if join is not None:
        given = {"MODEL": model, "TABLE": table, "--out": out, "--shards": shards, "--shard": shard,
                 "--dask": dask, "--workers": workers}  # fmt: skip
        stray = [name for name, value in given.items() if value is not None]
        if stray:
            raise typer.BadParameter(f"{' and '.join(stray)} does not go with --join")
        from wildreid.identification.joining import join as put_together

        found = put_together(join)
        failed = f", {found.failures} left out (failures.csv)" if found.failures else ""
        say(f"joined {found.rows} embeddings in {found.folder}{failed}")
        return
    if model is None or table is None or out is None:
        raise typer.BadParameter("give MODEL, TABLE and --out; or --join alone")
    if shard is not None and shards is None:
        raise typer.BadParameter("--shard needs --shards, the same for all of them")
    if sum(one is not None for one in (shard, dask, workers)) > 1:
        raise typer.BadParameter("give one of --shard, --dask and --workers")
    from wildreid.identification.shards import sharding
    from wildreid.pipeline.reading import said

    work = sharding(model, table, out, shards=shards, root=root, device=device or "auto")
    said(work.table)
    numbers = range(work.plan.shards) if shard is None else [shard]
    if dask is not None or workers is not None:
        from wildreid.identification.cluster import embed_on

        made = embed_on(work, model, table, dask=dask, workers=workers, root=root, device=device or "auto")
    else:
        made = sum(work.embed(number)[1] for number in bar(numbers, "shards"))
    say(f"embedded {made} of {len(numbers)} shards in {out}; {len(numbers) - made} were there already")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(embed)
