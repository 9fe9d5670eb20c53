{#-
    1 (lowest fifth) to 5 (highest) of a measure, among the rows for which `among` is true; NULL for the others.

    Unlike `ntile`, rows of the same measure get the same quintile, so the answer does not hang on the order of the rows.
-#}
{% macro quintile(measure, among) -%}
    if(
        {{ among }},
        cast(
            1 + (rank() over (partition by {{ among }} order by {{ measure }}) - 1) * 5
            / count(*) over (partition by {{ among }}) as integer
        )
    )
{%- endmacro %}
