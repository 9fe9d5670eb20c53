{#- DuckDB divides decimals as doubles: rounded at once, and NULL where there is nothing to divide by. -#}
{% macro money_per(amount, count, scale=2) -%}
    cast(round({{ amount }} / nullif({{ count }}, 0), {{ scale }}) as decimal(14, {{ scale }}))
{%- endmacro %}

{% macro share(part, whole) -%}
    cast(round({{ part }} / nullif({{ whole }}, 0), 6) as decimal(18, 6))
{%- endmacro %}

{% macro quintile(measure, among) -%}
    case when {{ among }} then
        cast(
            1 + (rank() over (partition by {{ among }} order by {{ measure }}) - 1) * 5
            // count(*) over (partition by {{ among }}) as integer
        )
    end
{%- endmacro %}
