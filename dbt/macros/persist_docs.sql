{#- CREATE OR REPLACE TABLE carries the comment already; setting it again would cost another commit of the catalog. -#}
{% macro trino__persist_docs(relation, model, for_relation, for_columns) -%}
{%- endmacro %}
