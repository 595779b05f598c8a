"""Program MARK's encounter histories (.inp), for RMark and marked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from wildreid.kinds import Exporter
from wildreid_plugins.exporters.text import write_text

if TYPE_CHECKING:
    from wildreid.population.survey import Survey


class Mark(Exporter):
    """Encounter histories for program MARK, RMark and marked: one line for each animal, a group for each sex."""

    name = "mark"

    def write(self, *, survey: Survey, folder: Path) -> list[Path]:
        """``mark.inp`` and ``load.R``; the groups stand in the first line, in the order of their columns.

        An occasion in which nobody looked is a dot for every animal.
        """
        people = survey.individuals
        groups = [
            group for group in ("F", "M", "unknown") if (people["sex"].replace("", "unknown") == group).any()
        ]
        idle = survey.effort.to_numpy().sum(axis=0) == 0
        words = f"{len(people)} individuals, {survey.occasions.words()}; groups: {' '.join(groups)}"
        identities = f"; {survey.identities}" if survey.identities else ""
        lines = [f"/* {words}{identities} */"]
        for code, sex in zip(people["code"], people["sex"].replace("", "unknown"), strict=True):
            seen = survey.histories.loc[code].to_numpy()
            history = "".join(
                "." if none else str(int(met > 0)) for none, met in zip(idle, seen, strict=True)
            )
            flags = " ".join(str(int(sex == group)) for group in groups)
            lines.append(f"/*{code}*/ {history} {flags};")
        file = write_text(folder / "mark.inp", "\n".join(lines) + "\n")
        sexes = ", ".join(f'"{group}"' for group in groups)
        given = f"group.df = data.frame(sex = c({sexes})), " if len(groups) > 1 else ""
        load = f'library(RMark)\nd <- convert.inp("mark.inp", {given}use.comments = TRUE)\nprint(d)\n'
        return [file, write_text(folder / "load.R", load)]
