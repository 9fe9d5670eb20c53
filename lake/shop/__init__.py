"""The demo source: a shop on MySQL, loaded from real retail data and kept alive by ticks.

Nothing outside this package depends on it; the platform reads any MySQL schema by contracts alone.
"""
