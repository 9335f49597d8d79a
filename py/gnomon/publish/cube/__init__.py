"""A data model for Cube, of what is served."""

from gnomon.publish.cube.writing import Written, export_cube

__all__ = ["Written", "export_cube"]
