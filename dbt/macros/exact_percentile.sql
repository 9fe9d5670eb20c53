{#-
    The smallest value that at least `fraction` of the group's values do not exceed (nearest rank); NULLs do not count.

    Trino's `approx_percentile` would be shorter, but its answer may differ from run to run, and a figure must come out
    the same when it is computed again from the same commit.
-#}
{% macro exact_percentile(value, fraction) -%}
    element_at(
        array_agg({{ value }} order by {{ value }}) filter (where {{ value }} is not null),
        cast(ceiling({{ fraction }} * nullif(count({{ value }}), 0)) as integer)
    )
{%- endmacro %}
