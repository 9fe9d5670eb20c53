{#- The schema is exactly the one asked for: dbt's own rule would put the target's in front. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
