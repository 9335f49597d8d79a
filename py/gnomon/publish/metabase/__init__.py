"""Dashboards as Metabase shows them: what is to be there, the way from what is there to it, and each step of it."""
