"""The HTTP API: thin, over the same engine as the command line."""
