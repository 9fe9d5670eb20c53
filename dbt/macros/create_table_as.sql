{#-
    A table in one statement and one commit, those with an enforced contract too. The adapter would make such a one empty
    and fill it afterwards, once it had planned the query for its columns alone; lake/layers/declared.py looks at what was
    built instead.
-#}
{% macro trino__create_table_as(temporary, relation, sql, on_exists=none) -%}
    create{{ ' or replace' if on_exists == 'replace' }} table {{ relation }}
    {{ comment(model.get('description')) }}
    {{ properties(temporary) }}
    as (
        {{ sql }}
    );
{%- endmacro %}
