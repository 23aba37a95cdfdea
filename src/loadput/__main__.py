"""``python -m loadput``: the command."""

from .cli.main import main

main()
