"""The command line: the table of contents of the product. `nightschool --help` lists what it can do."""

import typer

app = typer.Typer(no_args_is_help=True, help="A Slack support bot that goes to school every night.")


def main() -> None:
    """Run the command line."""
    app()
