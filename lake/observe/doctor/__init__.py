"""Whether an installation is sound, and what to do where it is not: ``lake doctor``.

A check is a small function that looks at one thing and gives findings. ``checks`` lists them, ``examine`` runs them
side by side, each with a time limit. What a service that is away would have told is unknown, and never said to be well.
"""
