"""From the project's dashboards, metrics and serving copy to what is to be in Metabase."""
