"""`reid gallery verify` and `calibrate`: whether it is whole, and whether its answers can be trusted."""

from __future__ import annotations

from typing import Annotated

import typer

from wildreid.cli.arguments import Device
from wildreid.cli.gallery import printing
from wildreid.cli.gallery.arguments import GalleryPath


def verify(
    gallery: GalleryPath,
    index: Annotated[bool, typer.Option("--index", help="Also make the index again.")] = False,
) -> None:
    """Read all of a gallery and compare every hash; exits with 1 if it is damaged."""
    from wildreid.cli.words import as_typed
    from wildreid.gallery.index import build_index
    from wildreid.gallery.store import Gallery
    from wildreid.identification import verify_gallery

    if index:
        facts = build_index(Gallery(gallery).state)
        printing.say(
            "the gallery is too small for an index; it is compared with whole"
            if facts is None
            else f"index: {facts.rows} images in {facts.lists} lists; looking at {facts.probe} finds "
            f"the nearest image in {100 * facts.recall:.1f} % of {facts.sample} cases"
        )
    found = verify_gallery(gallery)
    for note in found.notes:
        printing.say(f"note: {as_typed(note)}")
    for damage in found.damage:
        printing.say(f"damaged: {damage}", style="bold red")
    if found.damage:
        raise typer.Exit(1)
    printing.say(
        f"whole: {found.individuals} individuals, {found.images} images, {found.changes} changes, "
        f"digest {found.digest}"
    )


def calibrate(
    gallery: GalleryPath,
    false_accepts: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            max=0.5,
            help="Share of unknown animals that may be taken for known; as before if not given.",
        ),
    ] = None,
    false_new: Annotated[
        float, typer.Option(min=0.0, max=0.5, help="Share of known animals that may be called new.")
    ] = 0.05,
    prior: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            max=0.999,
            help="Share of encounters with new animals that probabilities are meant for; as before, or 0.5.",
        ),
    ] = None,
    no_matching: Annotated[
        bool,
        typer.Option("--no-matching", help="Leave the thresholds for photos that are matched as they are."),
    ] = False,
    device: Device = None,
) -> None:
    """Fit thresholds and probabilities again, for the gallery's present size.

    Each encounter and each individual is left out in turn, as if it had just been photographed. A gallery that
    matches photos point by point has thresholds of its own for these, which take longer.
    """
    from wildreid.artefacts import Missing
    from wildreid.errors import UserError
    from wildreid.identification.recalibrate import recalibrate

    rule, notes = recalibrate(
        gallery, false_accepts=false_accepts, false_new=false_new, prior=prior, matching=not no_matching,
        device=device or "auto",
    )  # fmt: skip
    if isinstance(rule, Missing):
        raise UserError(
            f"no rule could be fitted: {rule.reason}",
            where=str(gallery),
            cure="add photos from more encounters",
        )
    printing.say_rule(rule, notes)
    printing.say_fused(gallery, left=no_matching)
