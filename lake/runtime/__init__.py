"""The local runtime: every service of the platform as a supervised process on this machine.

``artifacts`` says what is needed, ``install`` brings it, ``services`` says how each part is run, ``start`` makes its
data and waits until it answers, ``supervise`` talks to the supervisor, ``state`` keeps what was chosen once,
``profiles`` which services are started together. What people type is in `lake.commands.services`.
"""
