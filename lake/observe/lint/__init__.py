"""`make lint` of what is watched: no rule, route or inhibition names something that is not there."""
