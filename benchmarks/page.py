"""The page of a benchmark run, as Markdown and HTML, from pytest-benchmark's JSON alone.

Run as ``python -m benchmarks.page FILE.json…``; several files, such as a long part that ran earlier, become one
page, the later file's rows in place of the earlier one's where both have a benchmark.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.tables import Section, sections_of

from wildreid.page import render

FOLDER = Path(__file__).with_name("results")
SAME = ("processor", "cores", "gpu")
"""What must be one in all files of a page."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page, and say where; 2 for files from which there is nothing to write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, help="JSON of pytest-benchmark, or of an earlier page")
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder of the pages (%(default)s)")
    options = parser.parse_args(arguments)
    try:
        runs = [run for file in options.files for run in load(file)]
        for path in write(runs, options.out):
            print(path)
    except ValueError as error:
        print(f"no page is written: {error}", file=sys.stderr)
        return 2
    return 0


def load(file: Path) -> list[dict[str, Any]]:
    """The runs in a file: one of pytest-benchmark's own, all in one of ours.

    Raises:
        ValueError: the file is not there, is empty (nothing was measured), or is no such JSON.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise ValueError(f"{file}: {error.strerror}") from None
    if not text.strip():
        raise ValueError(f"{file} is empty: nothing was measured")
    found = json.loads(text)
    runs: list[dict[str, Any]] = found.get("runs", [found])
    if any("machine_info" not in run or "benchmarks" not in run for run in runs):
        raise ValueError(f"{file} is not the JSON of pytest-benchmark")
    return runs


def write(runs: Sequence[Mapping[str, Any]], folder: Path) -> list[Path]:
    """Write ``<machine>.md``, ``.html`` and ``.json``, from which the other two can be written again.

    Raises:
        ValueError: the runs are of different machines.
    """
    machines = {tuple(run["machine_info"].get(name) for name in SAME) for run in runs}
    if len(machines) > 1:
        raise ValueError(f"the files are of different machines: {sorted(map(str, machines))}")
    runs = _latest(runs)
    sections = sections_of(runs)
    made = _made(runs)
    folder.mkdir(parents=True, exist_ok=True)
    name = machine_name(runs[0]["machine_info"]) + ("-quick" if any(_quick(run) for run in runs) else "")
    pages = {".md": markdown(sections, made), ".html": html(sections, made)}
    pages[".json"] = json.dumps({"runs": [_kept(run) for run in runs]}, separators=(",", ":")) + "\n"
    paths = []
    for ending, text in pages.items():
        paths.append(folder / f"{name}{ending}")
        paths[-1].write_text(text, encoding="utf-8")
    return paths


def machine_name(machine: Mapping[str, Any]) -> str:
    """A file name for a machine: its processor, cores and GPU."""
    words = f"{machine['processor']} {machine['cores']} cores {machine.get('gpu') or ''}"
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")


def markdown(sections: Sequence[Section], made: Sequence[Mapping[str, str]]) -> str:
    """The page as Markdown."""
    lines = ["# Benchmarks", ""]
    for one in made:
        lines += [*(f"- {name}: {value}" for name, value in one.items()), ""]
    lines += [READING, "", "## Aims", "", *_markdown_table(AIMS, _aims(sections)), ""]
    for section in sections:
        lines += [f"## {section.title}", "", section.words, ""]
        for table in section.tables:
            lines += [f"### {table.title}", "", *_markdown_table(table.columns, table.rows), ""]
            lines += [line for about in table.about for line in (about, "")]
    return "\n".join(lines).rstrip() + "\n"


READING = (
    "Two sides are timed in turns. A figure beside another side is the median over the pairs, with the least and "
    "the most in brackets; × speed above 1 is faster than that side, × time below 1 is quicker. CPU is the same in "
    "processor time, which other work on the machine disturbs less. Peaks are of a process of their own."
)
AIMS = ["what", "aim", "found", "verdict"]


def html(sections: Sequence[Section], made: Sequence[Mapping[str, str]]) -> str:
    """The page as one self-contained HTML file, with plots."""
    return render(
        Path(__file__).with_name("benchmarks.html"),
        styles=[Path(__file__).with_name("benchmarks.css")],
        title="Benchmarks",
        stamp="",
        sections=[("aims", "Aims"), *((section.name, section.title) for section in sections)],
        made="Written by benchmarks/page.py from the JSON of pytest-benchmark alone.",
        runs=made,
        reading=READING,
        aims=_aims(sections),
        aim_columns=_columns(AIMS),
        parts_of_page=[
            (section, [(table, _columns(table.columns)) for table in section.tables]) for section in sections
        ],
    )


def _aims(sections: Sequence[Section]) -> list[list[str]]:
    return [list(aim) for section in sections for table in section.tables for aim in table.aims]


def _columns(names: Sequence[str]) -> list[dict[str, Any]]:
    return [{"words": name, "number": False} for name in names]


def _markdown_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"

    return [line(columns), line(["---"] * len(columns)), *(line(row) for row in rows)] if rows else ["None."]


def _latest(runs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The runs from first to last, each benchmark only in the last that has it."""
    ordered = sorted(runs, key=lambda run: str(run.get("datetime")))
    seen: set[str] = set()
    kept = []
    for run in reversed(ordered):
        benchmarks = [one for one in run["benchmarks"] if one["fullname"] not in seen]
        seen.update(one["fullname"] for one in benchmarks)
        if benchmarks:
            kept.append({**run, "benchmarks": benchmarks})
    if not kept:
        raise ValueError("nothing was measured")
    return kept[::-1]


def _kept(run: Mapping[str, Any]) -> dict[str, Any]:
    """What the page is made of; pytest-benchmark's own statistics stay in its own JSON."""
    top = {name: run.get(name) for name in ("machine_info", "datetime", "version")}
    top["commit_info"] = {name: (run.get("commit_info") or {}).get(name) for name in ("id", "dirty")}
    ours = ("group", "name", "fullname", "params", "extra_info")
    return {**top, "benchmarks": [{name: one.get(name) for name in ours} for one in run["benchmarks"]]}


def _quick(run: Mapping[str, Any]) -> bool:
    return bool(run["machine_info"].get("quick"))


def _made(runs: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Where and with what the runs were made, and when; runs that differ in the last alone stand together."""
    when: dict[tuple[str, ...], list[str]] = {}
    for run in runs:
        machine, commit = run["machine_info"], run.get("commit_info") or {}
        changed = ", with changes that are not committed" if commit.get("dirty") else ""
        gpu = f", {machine['gpu']}" if machine.get("gpu") else ""
        versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
        facts = (
            f"{machine['processor']}, {machine['cores']} cores{gpu}, {machine['memory_gb']} GB of memory, "
            f"{machine['system']}",
            f"{machine['device']}, {machine['precision']}, {machine['threads']} threads, where a row does not "
            "say otherwise",
            f"Python {machine['python']}, {versions}",
        )
        quick = ", the quick ones" if machine.get("quick") else ""
        when.setdefault(facts, []).append(
            f"{str(run.get('datetime'))[:16].replace('T', ' ')} UTC, {len(run['benchmarks'])} benchmarks{quick}, "
            f"commit {str(commit.get('id'))[:10]}{changed}"
        )
    names = ("machine", "device", "versions")
    return [
        {"measured": "; ".join(found), **dict(zip(names, facts, strict=True))}
        for facts, found in when.items()
    ]


if __name__ == "__main__":
    sys.exit(main())
