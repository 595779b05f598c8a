"""`reid export`: pack a trained model for others."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from wildreid.cli.arguments import RunPath


class Form(StrEnum):
    """What a package holds the network as."""

    folder = "folder"
    onnx = "onnx"


def export(
    run: RunPath,
    to: Annotated[Form, typer.Option(help="folder: safetensors; onnx: an ONNX file.")] = Form.folder,
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Where to; RUN/export-folder or -onnx if not given.")
    ] = None,
    licence: Annotated[str, typer.Option(help="Of the model, in words, for its card.")] = "",
) -> None:
    """Pack a model with its recipe, decision and model card; galleries can be made from the package.

    An ONNX file is kept only if its embeddings of the run's own photos agree with torch's.

    Example: [bold]reid export runs/bears --to onnx --out bears-model[/]
    """
    from rich.console import Console

    from wildreid.identification import export as pack

    folder = out or Path(run) / f"export-{to.value}"
    package = pack(Path(run), folder, to=to.value, licence=licence)
    console = Console(highlight=False)
    if package["parity"]:
        parity = package["parity"]
        console.print(f"agrees with torch on {parity['images']} photos: least cosine {parity['least']:.6f}")
    console.print(f"wrote {folder}", markup=False)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(export)
