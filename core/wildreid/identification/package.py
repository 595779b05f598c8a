"""Model packages: a folder with all that others need to use a model, and a card that says what for."""

from __future__ import annotations

import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import TypeAdapter

from wildreid.artefacts import Missing
from wildreid.errors import UserError
from wildreid.evaluation.decision import load_decision
from wildreid.files import hash_of_file, read_json, write_json
from wildreid.gallery.rule import Rule
from wildreid.identification.calibration import rule_of_run, stands_by
from wildreid.identification.card import card_of
from wildreid.identification.models import DESCRIPTION, ONNX, PACKAGE, WEIGHTS, check_files, load_model
from wildreid.identification.onnx import to_onnx
from wildreid.identification.proven import fused_rule_of_run, matching_of_run
from wildreid.pipeline import RunFolder
from wildreid.recipe.load import packs_of
from wildreid.registry import Registry

FORMAT = 1
CARD, TRAINED = "README.md", "trained.txt"
KEPT = (WEIGHTS, ONNX, DESCRIPTION, "recipe.yaml", "decision.json", TRAINED, CARD)
"""What a package may hold beside `PACKAGE`, which has the hash of each."""


def export(
    source: Path,
    out: Path,
    *,
    to: Literal["folder", "onnx"] = "folder",
    licence: str = "",
    card: bool = True,
    images: int = 100,
) -> dict[str, Any]:
    """Write the model of a run as a package, or copy a package that is there already.

    Args:
        source: a run's folder, or a package.
        out: a folder that is new or empty.
        to: ``folder`` is the weights as safetensors; ``onnx`` is the network as an ONNX file, refused unless
            its embeddings of the run's own photos agree with torch's.
        licence: of the model, in words, for the card.
        card: whether to write the model card.
        images: photos to compare on.

    Returns:
        what ``package.json`` says.

    Raises:
        UserError: the run is not trained, or its model is damaged: nothing is sealed that cannot be loaded; `out`
            is not empty; the ONNX file does not agree.
    """
    if out.exists() and any(out.iterdir()):
        raise UserError(f"{out} is not empty", cure="choose another folder for the package")
    if (source / PACKAGE).is_file():
        return _copied(source, out, to)
    run = RunFolder(source)
    if not run.model.is_file() or not (source / DESCRIPTION).is_file():
        raise UserError(f"{source} holds no trained model", cure="give the folder of a finished run")
    load_model(source, registry=Registry(packs=packs_of(run.raw_recipe(), run.recipe)), device="cpu")
    made_here = not out.exists()
    out.mkdir(parents=True, exist_ok=True)
    try:
        parity = None
        shutil.copyfile(source / DESCRIPTION, out / DESCRIPTION)
        if to == "onnx":
            parity = to_onnx(run, out / ONNX, images=images)
        else:
            shutil.copyfile(run.model, out / WEIGHTS)
        package = {**_described(run, out), "kind": to, "parity": parity, "licence": licence}
        if card:
            (out / CARD).write_text(card_of(run, package), encoding="utf-8")
        return _sealed(out, package)
    except BaseException:
        for name in KEPT:
            (out / name).unlink(missing_ok=True)
        if made_here:
            out.rmdir()
        raise


def package_rule(package: dict[str, Any]) -> Rule | Missing:
    """The rule that came with a model, or why there is none."""
    rule = package["rule"]
    if "reason" in rule:
        return Missing(rule["reason"])
    return TypeAdapter(Rule).validate_python(rule)


def _described(run: RunFolder, out: Path) -> dict[str, Any]:
    """Write recipe, decision and the list of training photos; return what the package says of itself."""
    recipe = run.raw_recipe()
    header = "# The recipe that this model was trained by; folders of its author's machine are left out.\n"
    text = yaml.safe_dump(_without_places(recipe), sort_keys=False, allow_unicode=True)
    (out / "recipe.yaml").write_text(header + text, encoding="utf-8")
    told = run.decision.is_file() and not isinstance(load_decision(run.decision), Missing)
    if told and stands_by(run) == "embedding":  # a decision on other scores is not the model's
        shutil.copyfile(run.decision, out / "decision.json")
    rows = run.load_split().of_part("train")
    hashes = sorted(set(rows["content"].dropna())) if "content" in rows else []
    (out / TRAINED).write_text("".join(f"{content}\n" for content in hashes), encoding="utf-8")
    rule, matching = rule_of_run(run.path), matching_of_run(run)
    matched: dict[str, Any] = {}
    if matching is not None:
        matched = {"matching": _without_places(matching.model_dump(mode="json"))}
        if matching.counts:
            fused = fused_rule_of_run(run)
            matched["fused"] = TypeAdapter(type(fused)).dump_python(fused, mode="json")
    origins = read_json(out / DESCRIPTION).get("origins", [])
    return {
        "format": FORMAT,
        "name": recipe["name"],
        "stamp": recipe["stamp"],
        "wildreid": version("wildreid"),
        "rule": TypeAdapter(type(rule)).dump_python(rule, mode="json"),
        **matched,
        "encounters": recipe["encounters"],
        **_needs(out),
        "apart": recipe["apart"],
        "origins": origins,
    }


def _needs(out: Path) -> dict[str, Any]:
    """What must be installed beside the network: the segmenter that makes the masks of its images."""
    segmenter = read_json(out / DESCRIPTION).get("foreground")
    return {"needs": {"segmenter": segmenter["name"]}} if segmenter else {}


def _sealed(out: Path, package: dict[str, Any]) -> dict[str, Any]:
    """Write ``package.json`` last, with the hash of each file: a package without it was never finished."""
    files = {name: hash_of_file(out / name) for name in KEPT if (out / name).is_file()}
    package = {**package, "files": files}
    write_json(out / PACKAGE, package, lasting=True)
    return package


def _copied(source: Path, out: Path, to: str) -> dict[str, Any]:
    package = check_files(source)
    load_model(source, device="cpu")
    if package["kind"] != to and to == "onnx":
        raise UserError(
            f"{source} is a package already, and not an ONNX one",
            cure="export the run itself",
        )
    out.mkdir(parents=True, exist_ok=True)
    for name in (*package["files"], PACKAGE):
        shutil.copyfile(source / Path(name).name, out / Path(name).name)
    return read_json(out / PACKAGE)


def _without_places(value: Any) -> Any:
    """Plain data in which an absolute path is its last name alone."""
    if isinstance(value, dict):
        return {key: _without_places(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_places(item) for item in value]
    if isinstance(value, str):
        before, colon, place = value.rpartition(":")  # local-dir:/home/… as well
        if Path(place).is_absolute():
            return f"{before}{colon}{Path(place).name}"
    return value
