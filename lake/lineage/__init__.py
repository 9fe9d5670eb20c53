"""From which columns of a source a column of the lake is made, and what is made of it.

Nothing is declared for it: `landed` reads the contracts, `star` the functions that build the star schema, `marts` what
dbt compiles, `readers` the queries of reports and alert rules. `graph` puts their answers together.
"""
