"""The local runtime: every service of the platform as a supervised process on this machine.

``artifacts`` says what is needed, ``install`` brings it, ``services`` says how each part is run, ``first_start`` makes
its data, ``health`` tells whether it answers, ``supervise`` talks to the supervisor, ``commands`` is what people type.
"""
