"""``python -m lake.commands up``: the command `lake` without the script that the installation makes."""

from lake.commands.main import main

main()
