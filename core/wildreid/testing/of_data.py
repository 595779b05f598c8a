"""What options that work on tables and photos must give: data sets, splitters, segmenters, samplers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from wildreid.artefacts import Crop, Missing
from wildreid.data.splits import assign, divisions
from wildreid.data.table import PARTS, ROLES, Table
from wildreid.errors import UserError
from wildreid.testing.hold import built, hold
from wildreid.testing.material import tiny_table


def check_dataset(option: Any) -> None:
    """A table that is the same each time, with an absolute root and unique ids."""
    table = option.table()
    hold(
        isinstance(table, Table),
        option,
        f"gave {type(table).__name__}, not a Table; build it with Table.of(…)",
    )
    hold(len(table), option, "gave a table without rows")
    hold(
        "id" in table.rows and table["id"].is_unique,
        option,
        "gave ids that repeat; build it with Table.of(…)",
    )
    hold(
        table.root.is_absolute(),
        option,
        f"gave a root that is not absolute: {table.root}; type the field as wildreid.option.Location",
    )
    again = option.table()
    hold(table.rows.equals(again.rows), option, "gave another table when asked again; it must not be random")


def check_splitter(option: Any, *, table: Table | None = None) -> None:
    """A part and role for each row, by rows and seed alone, with no group divided."""
    table = table or tiny_table()
    first = option.split(table=table, seed=0)
    hold(
        isinstance(first, Table), option, f"gave {type(first).__name__}, not a Table; use table.with_rows(…)"
    )
    for column, allowed in (("part", PARTS), ("role", ROLES)):
        hold(column in first.rows, option, f"gave a table without the column '{column}'")
        odd = set(first[column].dropna().unique()) - set(allowed)
        hold(not odd, option, f"gave {column} {', '.join(map(str, odd))}; there are {', '.join(allowed)}")
    hold(set(first["id"]) == set(table["id"]), option, "lost or added rows; unused rows have a missing part")
    try:
        answer = assign(table, option, seed=0)
    except UserError as error:
        raise AssertionError(
            f"splitter {option.name} gave a split that cannot be used: {error}\n"
            "  → if it needs other rows than tiny_table() has: check_option(…, table=…)"
        ) from error
    divided = divisions(answer)
    hold(
        option.leaky or not divided,
        option,
        f"divided a group: {divided[0] if divided else ''}; keep the column 'group' whole, divide by "
        "identity, "
        "or declare leaky = True",
    )
    mixed = table.with_rows(table.rows.sample(frac=1, random_state=1))
    hold(
        answer.rows.equals(assign(mixed, option, seed=0).rows),
        option,
        "split the same rows otherwise when they came in another order; sort by 'id' and draw from the seed",
    )


def check_segmenter(option: Any) -> None:
    """A mask of the crop's shape, or why there is none, for each crop; the same each time."""
    segment = option.build(device="cpu")
    built(segment, option, callable_with="crops")
    crops = [
        _crop(option, shape, boxed) for shape, boxed in (((60, 80), True), ((80, 60), False), ((7, 5), False))
    ]
    first, again = segment(crops), segment(crops)
    hold(
        isinstance(first, list | tuple) and len(first) == len(crops),
        option,
        "did not give a list with a mask for each crop",
    )
    for crop, mask, same in zip(crops, first, again, strict=True):
        if isinstance(mask, Missing):
            hold(mask.reason, option, "gave a Missing without a reason")
            continue
        hold(
            isinstance(mask, np.ndarray) and mask.dtype == np.uint8,
            option,
            f"gave {getattr(mask, 'dtype', type(mask).__name__)}, not an array of uint8; 255 is the animal",
        )
        hold(mask.shape == crop.shape, option, f"gave a mask of {mask.shape} for a crop of {crop.shape}")
        hold(np.array_equal(mask, same), option, "gave another mask for the same crop; it must not be random")
    alone = [segment([crop])[0] for crop in crops]
    close = [
        isinstance(one, Missing) or np.abs(one.astype(int) - other.astype(int)).max() <= 4
        for one, other in zip(alone, first, strict=True)
    ]
    hold(all(close), option, "gave a crop another mask beside other crops than alone")
    for words in (option.fingerprint(), option.key(row=crops[0].row, root=crops[0].root)):
        hold(isinstance(words, str), option, "gave a fingerprint or key that is no text")


def _crop(option: Any, shape: tuple[int, int], boxed: bool) -> Crop:
    """A bright animal before a dark place, in the middle of a crop twice as large in the photo."""
    height, width = shape
    pixels = np.random.default_rng(0).integers(0, 60, (height, width, 3)).astype(np.uint8)
    pixels[height // 4 : -(height // 4) or None, width // 4 : -(width // 4) or None] += 150
    if option.longest is not None and max(shape) > option.longest:
        pixels = pixels[: option.longest, : option.longest]
    box = (width / 2, height / 2, float(width), float(height)) if boxed else None
    corners = [width / 2, height / 2, 1.5 * width, height / 2, 1.5 * width, 1.5 * height]
    return Crop(
        shape=(pixels.shape[0], pixels.shape[1]),
        window=(0, 0, 2 * width, 2 * height),
        photo=(2 * width, 2 * height),
        box=box,
        row={"id": "a.jpg", "image": "a.jpg", "identity": "a", "mask": str([corners])},
        root=Path("photos").absolute(),
        pixels=pixels if option.longest is not None else None,
    )


def check_sampler(option: Any, *, table: Table | None = None) -> None:
    """Full batches of rows of the table, the same for one seed and epoch, others for others."""
    table = table or tiny_table()
    batches = option.build(table=table, batch=8, seed=0)
    built(batches, option, members="__iter__ __len__ set_epoch")
    batches.set_epoch(0)
    first = [list(batch) for batch in batches]
    hold(
        first and len(first) == len(batches),
        option,
        f"gave {len(first)} batches but a length of {len(batches)}",
    )
    hold(all(len(batch) == 8 for batch in first), option, "gave a batch of another size than was asked for")
    hold(
        all(0 <= row < len(table) for batch in first for row in batch),
        option,
        "gave a row that the table has not",
    )

    def drawn(seed: int, epoch: int) -> list[list[int]]:
        again = option.build(table=table, batch=8, seed=seed)
        again.set_epoch(epoch)
        return [list(batch) for batch in again]

    hold(first == drawn(0, 0), option, "drew otherwise with the same seed and epoch")
    cure = "draw by numpy.random.default_rng([seed, epoch])"
    hold(
        any(drawn(0, epoch) != first for epoch in (1, 2, 3)),
        option,
        f"gives the same batches in each epoch, as if set_epoch said nothing; {cure}",
    )
    hold(any(drawn(seed, 0) != first for seed in (1, 2, 3)), option, f"draws the same with each seed; {cure}")
