{#-
    1 (lowest fifth) to 5 (highest) of a measure over all rows.

    Unlike `ntile`, rows of the same measure get the same quintile, so the answer does not hang on the order of the rows.
-#}
{% macro quintile(measure, descending=false) -%}
    cast(1 + (rank() over (order by {{ measure }}{{ ' desc' if descending }}) - 1) * 5 / count(*) over () as integer)
{%- endmacro %}
