"""Room 6: thin doors for people and programs; each calls the same functions."""
