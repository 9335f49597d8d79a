"""Room 0: names, errors, settings and the raw contract. Imports nothing of Gnomon."""
