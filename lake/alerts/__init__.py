"""Alerts: rules as data, evaluated at the commit of a receipt, posted to Alertmanager."""
