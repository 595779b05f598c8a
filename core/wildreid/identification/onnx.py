"""From a trained network to an ONNX file, which is kept only if its embeddings agree with torch's."""

from __future__ import annotations

import importlib.util
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from wildreid.data.store import open_images
from wildreid.errors import UserError, first_line
from wildreid.identification.models import onnx_session, run_onnx
from wildreid.pipeline import RunFolder
from wildreid.places import cache_folder
from wildreid.recipe import Recipe
from wildreid.training.embedder import Embedder, load_embedder

COSINE = 0.9999
"""The least cosine similarity of the two embeddings of one photo."""


def to_onnx(run: RunFolder, path: Path, *, images: int = 100) -> dict[str, Any]:
    """Write the network of a run as one ONNX file: (n, size, size, 3) uint8 in, (n, width) unit length out.

    Args:
        run: a trained run, whose photos can still be read.
        path: the file to write.
        images: photos of the run to compare on, drawn from all of them.

    Returns:
        ``images`` compared, ``least`` and ``mean`` cosine similarity.

    Raises:
        UserError: the packages for it are not installed; the network cannot be exported; they do not agree.
    """
    import torch

    needed = ("onnx", "onnxscript", "onnxruntime")
    missing = [name for name in needed if importlib.util.find_spec(name) is None]
    if missing:
        raise UserError(f"{' and '.join(missing)} is not installed", cure="pip install 'wildreid[onnx]'")
    loaded = run.load_recipe()
    embedder = load_embedder(run.path, loaded.registry)
    pixels = _photos(run, loaded.recipe, images)
    try:
        _write(embedder, path)
    except Exception as error:  # whatever an operator without a counterpart makes it raise
        raise UserError(
            f"this network cannot be written as ONNX: {first_line(error)}",
            cure="export it with `to=folder`, which always works",
        ) from None
    session = onnx_session(path)
    cosines = []
    with torch.inference_mode():
        for start in range(0, len(pixels), 32):
            some = pixels[start : start + 32]
            own = embedder(torch.from_numpy(some)).numpy()
            theirs = run_onnx(session, some, embedder.width)
            cosines.append((own * theirs).sum(axis=1))
    cosine = np.concatenate(cosines)
    if not cosine.min() >= COSINE:  # NaN is refused too
        path.unlink()
        raise UserError(
            f"the ONNX file does not agree with torch: on {len(cosine)} photos the least cosine similarity "
            f"of the embeddings is {cosine.min():.6f}, and {COSINE} is asked",
            cure="export it with `to=folder`",
        )
    return {"images": len(cosine), "least": float(cosine.min()), "mean": float(cosine.mean())}


def _photos(run: RunFolder, recipe: Recipe, count: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    table = run.load_split()
    chosen = np.sort(np.random.default_rng(0).permutation(len(table))[:count])
    some = table.with_rows(table.rows.iloc[chosen])
    store = open_images(some, recipe.images, cache=cache_folder(), foreground=recipe.seen_by)
    rows = np.flatnonzero(store.usable)
    if not len(rows):
        raise UserError(
            "none of the run's photos can be read, so the export cannot be checked",
            where=str(table.root),
            cure="bring the photos back, or export with `to=folder`",
        )
    return store.take(rows)


def _write(embedder: Embedder, path: Path) -> None:
    import torch

    batch = torch.export.Dim("batch")
    example = torch.zeros(2, embedder.size, embedder.size, 3, dtype=torch.uint8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter's own inner workings
        program = torch.onnx.export(
            embedder,
            (example,),
            input_names=["images"],
            output_names=["embeddings"],
            dynamic_shapes=({0: batch},),
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    program.save(str(path), external_data=False)
