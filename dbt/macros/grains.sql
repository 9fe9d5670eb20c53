{#-
    A row for each combination of the columns of its grain (`meta.grain`) that a mart has more than once, or in which one
    of them is NULL. While the project is only parsed no mart is known, and there is none.
-#}
{% macro broken_grains() -%}
    {%- set selects = ["select '' as mart where false"] -%}
    {%- for node in (graph.nodes.values() if execute else []) if node.config.meta.grain -%}
        {%- set columns = node.config.meta.grain -%}
        {%- set is_broken = 'count(*) > 1 or ' ~ columns | join(' is null or ') ~ ' is null' -%}
        {%- set rows = "select '" ~ node.name ~ "' as mart from " ~ ref(node.name) -%}
        {%- do selects.append(rows ~ ' group by ' ~ columns | join(', ') ~ ' having ' ~ is_broken) -%}
    {%- endfor -%}
    {{ selects | join(' union all ') }}
{%- endmacro %}
