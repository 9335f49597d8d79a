"""Files for BI tools that add up by themselves, over the views of sums of the serving copy."""

from gnomon.publish.bi.exporting import WrittenFiles, export_powerbi, export_tableau
from gnomon.publish.bi.place import Place

__all__ = ["Place", "WrittenFiles", "export_powerbi", "export_tableau"]
