"""``python -m lake.runtime up``: the runtime without the rest of `lake`."""

from lake.runtime.commands import main

main()
