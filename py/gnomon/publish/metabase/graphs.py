"""Who may see what: the graphs of permissions, each with the number of the revision that a change is made to."""

from __future__ import annotations

from typing import Literal

from gnomon.publish.metabase import bodies
from gnomon.publish.metabase.survey import Survey
from gnomon.publish.metabase.transport import Transport
from gnomon.publish.metabase.wanted import Group, Wanted

_ASKS_NOTHING = bodies.DatabaseAccess(view_data="unrestricted", create_queries="no")
_Reads = dict[str, Literal["none", "read"]]


class Graphs:
    """Changes the entries of our groups, our folders and our connection; nothing else."""

    def __init__(self, transport: Transport, wanted: Wanted, survey: Survey) -> None:
        self._transport = transport
        self._wanted = wanted
        self._survey = survey

    def open_to(self, group_id: int, group: Group) -> None:
        """Let a group look at its folders and do nothing else. What some group reads, everybody else no longer does.

        RefusedError with a conflict if somebody changed a graph in between.
        """
        names = self._survey.state.names
        ours = {collection.key: names.id_of("collection", collection.key) for collection in self._wanted.collections}
        reads: _Reads = {str(each): "read" if key in group.reads else "none" for key, each in ours.items()}
        kept = {key for each in self._wanted.groups for key in each.reads}
        closed: _Reads = {str(ours[key]): "none" for key in ours if key in kept}
        everybody = self._survey.find_everybody()
        self._put_collections({str(group_id): reads, everybody: closed})
        if names.database_id is not None:
            access = {str(names.database_id): _ASKS_NOTHING}
            revision = self._transport.get("/api/permissions/graph")["revision"]
            graph = bodies.DatabaseGraph(revision=revision, groups={str(group_id): access, everybody: access})
            self._transport.put("/api/permissions/graph", graph.dump())

    def close_to(self, group_id: int) -> None:
        """Let a group see no folder of ours any more; RefusedError with a conflict as above."""
        ids = self._survey.state.names.ids
        ours: _Reads = {str(each): "none" for ref, each in ids.items() if ref.kind == "collection"}
        self._put_collections({str(group_id): ours})

    def _put_collections(self, groups: dict[str, _Reads]) -> None:
        revision = self._transport.get("/api/collection/graph")["revision"]
        graph = bodies.CollectionGraph(revision=revision, groups=groups)
        self._transport.put("/api/collection/graph", graph.dump())
