{#-
    Quotients that stay decimal and do not fail on nothing: NULL where there is nothing to divide by.

    Trino rounds a decimal quotient to the larger scale of its two sides, so the scale is set on the dividend.
-#}
{% macro money_per(amount, count, scale=2) -%}
    cast(cast({{ amount }} as decimal(24, {{ scale }})) / nullif({{ count }}, 0) as decimal(14, {{ scale }}))
{%- endmacro %}

{% macro share(part, whole) -%}
    cast(cast({{ part }} as decimal(24, 6)) / nullif({{ whole }}, 0) as decimal(18, 6))
{%- endmacro %}
