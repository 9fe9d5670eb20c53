"""Recommendations: what a customer's next basket will hold, what is new to them, and what is bought together.

The models work on `baskets.Baskets` alone, whether they come from the published lake or from a file, so that what is
measured is what is served.
"""
