"""Room 2: scores. Features in, scores with reasons out; every model version is walked forward.

Import the module of a score (`from gnomon.scores import risk`); this file loads none of them.
"""
