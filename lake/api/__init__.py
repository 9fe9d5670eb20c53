"""The serving API: what the shop itself asks of the lake, over HTTP. docs/api.md is its guide.

Every answer is of one commit of the lake, and says which. `application` puts the parts together, and takes the routers
of others: a router brings its routes, `gate.allowed` asks for the key's scope, `answers.Answers` keeps what was worked
out, and `problems` says what was wrong.
"""
