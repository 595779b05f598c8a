"""The command `reid`: each command is a module; a user's mistake is one clear message and exit code 2."""

from __future__ import annotations

import sys
from importlib import import_module

import typer

COMMANDS = (
    "run", "check", "evaluate", "report", "compare", "data", "audit", "crops",
    "embed", "gallery", "identify", "discover", "review", "history", "population", "export", "search",
    "plugins", "recipes", "new", "schema", "doctor",
)  # fmt: skip

app = typer.Typer(
    name="reid",
    help="Which animal is this? Re-identify individuals in photos, for any species.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in COMMANDS:
    import_module(f"wildreid.cli.{command}").register(app)


def _version(wanted: bool) -> None:
    if wanted:
        from wildreid.commit import version_and_commit

        typer.echo(f"wildreid {version_and_commit()}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version and the commit."
    ),
) -> None:
    pass


def main() -> None:
    """Run the command line; exits with 2 for a user's mistake, 130 after Ctrl-C."""
    from wildreid.cli.words import as_typed
    from wildreid.errors import Interrupted, UserError
    from wildreid.files import refused
    from wildreid.progress import worded

    try:
        with worded(as_typed):
            app()
    except Interrupted as stopped:
        _say(as_typed(str(stopped)))
        sys.exit(130)
    except UserError as error:
        _say(as_typed(f"error: {error}"))
        sys.exit(2)
    except OSError as error:
        _say(f"error: {refused(error)}")
        sys.exit(2)
    except KeyboardInterrupt:
        _say("stopped")
        sys.exit(130)


def _say(text: str) -> None:
    from wildreid.progress import console, visible

    console().print(visible(text), style="bold red", markup=False, soft_wrap=True)
