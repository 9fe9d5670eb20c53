"""The commands of `lake`: each module reads arguments, calls the package and prints."""
