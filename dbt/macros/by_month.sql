{#-
    For tables that are kept by month of the order: only the months that the run has touched are built again.

    The variable `months` lists them, each as its first day. It is that of one run, and counts only in an incremental
    build; whoever cannot tell which months were touched builds with `--full-refresh`.
-#}
{% macro in_touched_months(day) -%}
    {%- set ranges = ['false'] -%}
    {%- for month in var('months') -%}
        {%- set end = "date_add('month', 1, date '" ~ month ~ "')" -%}
        {%- do ranges.append('(' ~ day ~ " >= date '" ~ month ~ "' and " ~ day ~ ' < ' ~ end ~ ')') -%}
    {%- endfor -%}
    {{ '(' ~ ranges | join(' or ') ~ ')' if not flags.FULL_REFRESH and is_incremental() else 'true' }}
{%- endmacro %}

{#- Before a build: the rows of these months go. They are whole partitions, so no file is read. -#}
{% macro forget_touched_months() -%}
    {%- set months = "date '" ~ var('months') | join("', date '") ~ "'" -%}
    {{ 'delete from ' ~ this ~ ' where order_month in (' ~ months ~ ')' if is_incremental() and var('months') }}
{%- endmacro %}
