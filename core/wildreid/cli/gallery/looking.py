"""`reid gallery list`, `show` and `log`: what is in it, and how it came to be."""

from __future__ import annotations

from wildreid.cli.gallery import printing
from wildreid.cli.gallery.arguments import GalleryPath, Individual


def list_(gallery: GalleryPath) -> None:
    """List the individuals: how many images and encounters each has, first and last seen."""
    from wildreid.gallery.history import individuals
    from wildreid.gallery.store import Gallery
    from wildreid.identification.local import described

    state = Gallery(gallery).state
    rows = [
        (
            row.individual,
            row.images,
            row.encounters,
            printing.day(row.first_seen),
            printing.day(row.last_seen),
        )
        for row in printing.each(individuals(state))
    ]
    printing.table(("individual", "images", "encounters", "first seen", "last seen"), rows, numbers=(1, 2))
    rule = state.rule
    words = "not calibrated" if rule is None else f"rule: {rule.source or 'as given'}"
    printing.say(
        f"{len(rows)} individuals, {state.images} images; model {state.manifest.model.name}; {words}",
    )
    if state.manifest.matching is not None:
        printing.say(described(state))
    for origin in state.manifest.provenance.get("weights", ()):
        printing.say(f"first weights {origin}")


def show(gallery: GalleryPath, individual: Individual) -> None:
    """Show one individual: its encounters, its images, and the changes that name it."""
    from wildreid.gallery.history import present
    from wildreid.gallery.store import Gallery

    state = Gallery(gallery).state
    state.code(individual)
    rows = present(state)
    rows = rows[rows["individual"] == individual].sort_values(["timestamp", "image"], na_position="last")
    printing.table(
        ("image", "date", "encounter", "key"),
        [(row.image, printing.moment(row.timestamp), row.visit, row.key) for row in printing.each(rows)],
    )
    named = [change for change in state.changes if individual in change.what.values()]
    printing.table(
        ("change", "time", "author", "what"),
        [(str(one.number), one.time, one.author, printing.words(one.kind, one.what)) for one in named],
    )


def log(gallery: GalleryPath) -> None:
    """List every change: when, by whom, what, and whether it was undone."""
    from wildreid.gallery.journal import live
    from wildreid.gallery.store import Gallery

    changes = Gallery(gallery).state.changes
    kept = {change.number for change in live(changes)}
    printing.table(
        ("change", "time", "author", "what", ""),
        [
            (
                str(one.number), one.time, one.author, printing.words(one.kind, one.what),
                "" if one.number in kept or one.kind == "undo" else "undone",
            )
            for one in changes
        ],
    )  # fmt: skip
