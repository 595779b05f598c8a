"""The model card: what a model was trained on, how well it does, and what it is for."""

from __future__ import annotations

from typing import Any

from wildreid.pipeline import RunFolder

SHOWN = ("accuracy@1", "accuracy@3", "accuracy@5", "accuracy@10", "macro-accuracy@1", "dir@1", "fpir", "ece")


def card_of(run: RunFolder, package: dict[str, Any]) -> str:
    """Markdown for a package's ``README.md``."""
    recipe = run.raw_recipe()
    table = run.load_split()
    parts = table["part"].value_counts()
    stamp = f" ({recipe['stamp']})" if recipe["stamp"] else ""
    lines = [
        f"# {recipe['name']}{stamp}",
        "",
        recipe["about"] or "A network that turns a photo of an animal into an embedding that tells it apart.",
        "",
        "## Use",
        "",
        "```",
        "reid gallery create my-gallery --model THIS-FOLDER --data PHOTOS-BY-INDIVIDUAL",
        "reid identify my-gallery NEW-PHOTOS",
        "```",
        "",
        "Intended for: finding the known individuals that a photo may show, to be confirmed by a person.",
        "Not for: other species or views of the body than those it was trained on, nor for deciding about an",
        "animal without anybody looking.",
        "",
        "## Trained on",
        "",
        f"{len(table)} annotations of {table.individuals} individuals "
        f"({', '.join(f'{parts.get(part, 0)} {part}' for part in ('train', 'val', 'test'))}), "
        f"data set `{recipe['dataset']['name']}`, split `{recipe['splitter']['name']}`.",
        f"Backbone `{recipe['backbone']['name']}`, loss `{recipe['loss']['name']}`, images of "
        f"{recipe['images']['size']} pixels. `recipe.yaml` has all of it.",
        *_needs(package),
        "",
        *_scores(run),
        "## Decision",
        "",
        *_decision(package["rule"]),
        *_fused(package),
        "",
    ]
    if package["parity"]:
        parity = package["parity"]
        lines += [
            f"The ONNX file agrees with torch on {parity['images']} photos: least cosine similarity of the "
            f"embeddings {parity['least']:.6f}.",
            "",
        ]
    lines += [
        "## Licence",
        "",
        package["licence"] or "Not stated; those of the photos and of the first weights hold.",
        "",
        *_terms(package["origins"]),
    ]
    return "\n".join(lines)


def _fused(package: dict[str, Any]) -> list[str]:
    """The thresholds for photos that are matched."""
    matching = package.get("matching") or {}
    rule = package.get("fused")
    if not rule or "reason" in rule:
        return []
    needs = " and ".join(f"`{one['name']}`" for one in matching["matchers"])
    return [
        "",
        f"Where photos are matched, which needs the matcher {needs}, a match is believed from a fused score of "
        f"{rule['decision']['threshold']:.3f}, and an animal is called new below {rule['new_below']:.3f}.",
    ]


def _needs(package: dict[str, Any]) -> list[str]:
    if "needs" not in package:
        return []
    return [
        "",
        f"It sees the animal alone, by the masks of the segmenter `{package['needs']['segmenter']}`, which must be "
        "installed where the model is used.",
    ]


def _terms(origins: list[dict[str, Any]]) -> list[str]:
    """On which terms the first weights came, one line each."""
    if not origins:
        return []
    lines = [
        f"- {one['words']}" + (f". Cite {one['citation']}." if one["citation"] else "") for one in origins
    ]
    return ["First weights:", "", *lines, ""]


def _scores(run: RunFolder) -> list[str]:
    if not run.scores.is_file():
        return ["## Scores", "", "The run was not evaluated.", ""]
    scores = run.load_scores()
    lines = ["## Scores", ""]
    for name, block in scores["protocols"].items():
        counts = block["counts"]
        flag = f" **Optimistic: {block['optimistic']}.**" if block.get("optimistic") else ""
        lines += [
            f"Protocol `{name}`, {block['label']}: {counts['queries']} queries of "
            f"{counts['query_individuals']} individuals against {counts['gallery']} images of "
            f"{counts['individuals']}; identities {block['training_relation']} in training.{flag}",
            "",
            "| score | value | 95 % interval by individual | n |".replace("95 %", _confidence(run)),
            "|---|---|---|---|",
            *(_row(key, block["scores"][key]) for key in SHOWN if key in block["scores"]),
            "",
            *_matched(block.get("matching") or {"stands": "embedding"}),
            *_by_species(block.get("species") or {}),
        ]
    return lines


def _matched(told: dict[str, Any]) -> list[str]:
    """What a gallery of this model does, and what the embedding alone gave."""
    if told["stands"] == "embedding":
        return []
    alone = told["figures"]["embedding"]["accuracy@1"]["value"]
    by = " and ".join(filter(None, (told["reranker"], *told["matchers"])))
    does = "A gallery ranks by the embedding alone"
    if told["stands"] == "fused":
        does = "A gallery of this model matches likewise; where it does not, the embedding alone ranks"
    return [f"These scores are of the ranking with {by}. {does}, whose accuracy@1 is {alone:.3f}.", ""]


def _by_species(blocks: dict[str, Any]) -> list[str]:
    """The chief scores of each species, as if there were no other."""
    if not blocks:
        return []
    lines = [
        "By species, each as if there were no other:",
        "",
        "| species | score | value | interval | n |",
        "|---|---|---|---|---|",
    ]
    for species, block in blocks.items():
        shown = [key for key in SHOWN if key in block["scores"]]
        lines += [f"| {species} {_row(key, block['scores'][key])}" for key in shown]
    return [*lines, ""]


def _row(name: str, score: dict[str, Any]) -> str:
    if score["value"] is None:
        return f"| {name} | – | {score['reason']} | {score.get('n', 0)} |"
    low, high = score.get("low"), score.get("high")
    interval = f"{low:.3f} to {high:.3f}" if low is not None and high is not None else "–"
    note = f" ({score['note']})" if score.get("note") else ""
    return f"| {name} | {score['value']:.3f} | {interval}{note} | {score['n']} |"


def _confidence(run: RunFolder) -> str:
    recipe = run.raw_recipe()
    return f"{100 * recipe['evaluation']['confidence']:g} %"


def _decision(rule: dict[str, Any]) -> list[str]:
    if "reason" in rule:
        return [f"None could be fitted: {rule['reason']}."]
    decision = rule["decision"]
    simulated = ", the unknowns simulated" if decision["simulated"] else ""
    prior = decision.get("prior")
    return [
        f"A match is believed from a cosine similarity of {decision['threshold']:.3f}: then about "
        f"{100 * decision['target']:.0f} of 100 unknown animals are taken for known ones. Below "
        f"{rule['new_below']:.3f} an animal is called new: about {100 * rule['known_called_new']:.0f} of 100 "
        f"known ones are. Fitted on {sum(decision['queries'])} validation queries{simulated}, "
        f"against {decision['gallery'][0]} individuals; calibrate again for a gallery twice as large."
        + (
            f" Probabilities are meant for {100 * prior:g} % of encounters with new animals." if prior else ""
        ),
    ]
