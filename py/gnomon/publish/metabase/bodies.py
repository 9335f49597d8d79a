"""Strict forms of every body that is sent: what is not in a form cannot be sent."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

Id = Annotated[int, Field(ge=1)]
Text = Annotated[str, Field(min_length=1)]
EntityId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_\-]{21}$")]
ParameterKind = Literal["date/all-options", "string/=", "number/=", "boolean/="]
Clause = Annotated[list[JsonValue], Field(min_length=2)]
Settings = dict[str, JsonValue]


class Body(BaseModel):
    """A body. What was not set is not sent."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, populate_by_name=True)

    def dump(self) -> dict[str, Any]:
        """Return the JSON of it."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)


class DatabaseBody(Body):
    """POST /api/database."""

    name: Text
    engine: Literal["postgres", "duckdb"]
    details: Settings
    is_full_sync: bool = True


class DatabaseChange(Body):
    """PUT /api/database/:id."""

    name: Text
    engine: Literal["postgres", "duckdb"]
    details: Settings


class TableBody(Body):
    """PUT /api/table/:id."""

    display_name: Text
    description: str | None
    visibility_type: Literal["technical", "hidden", "cruft"] | None


class FieldBody(Body):
    """PUT /api/field/:id."""

    description: Text | None = None
    semantic_type: Annotated[str, Field(pattern=r"^type/\w+$")] | None = None
    fk_target_field_id: Id | None = None
    visibility_type: Literal["normal", "hidden", "details-only", "sensitive"] = "normal"


class CollectionBody(Body):
    """POST /api/collection."""

    name: Text
    description: Text | None
    parent_id: Id | None


class CollectionChange(CollectionBody):
    """PUT /api/collection/:id."""

    archived: bool


class Archive(Body):
    """PUT of a card, a collection or a dashboard that is put away."""

    archived: Literal[True]


class TemplateTag(Body):
    """A field filter of a native query."""

    id: Annotated[str, Field(pattern=r"^[0-9a-f\-]{36}$")]
    name: Annotated[str, Field(pattern=r"^\w+$")]
    display_name: Annotated[Text, Field(alias="display-name")]
    type: Literal["dimension"]
    dimension: Clause
    widget_type: Annotated[ParameterKind, Field(alias="widget-type")]


class NativeInner(Body):
    """SQL and its tags."""

    query: Text
    template_tags: Annotated[dict[str, TemplateTag], Field(alias="template-tags")]


class NativeQueryBody(Body):
    """A dataset_query of SQL, in the form that every version takes."""

    database: Id
    type: Literal["native"]
    native: NativeInner


class StructuredInner(Body):
    """A query of MBQL 4."""

    source_table: Annotated[Id, Field(alias="source-table")]
    aggregation: list[Clause] | None = None
    filter: Clause | None = None
    breakout: list[Clause] | None = None


class StructuredQueryBody(Body):
    """A dataset_query of MBQL, in the form that every version takes."""

    database: Id
    type: Literal["query"]
    query: StructuredInner


class _CardParts(Body):
    """What a card has, new or changed."""

    name: Text
    description: Text | None
    type: Literal["question", "model", "metric"]
    display: Text
    collection_id: Id
    dataset_query: NativeQueryBody | StructuredQueryBody
    visualization_settings: Settings


class CardChange(_CardParts):
    """PUT /api/card/:id."""

    archived: bool = False


class CardBody(_CardParts):
    """POST /api/card."""

    entity_id: EntityId


class ParameterBody(Body):
    """A filter of a dashboard."""

    id: Text
    name: Text
    slug: Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]
    type: ParameterKind
    section_id: Annotated[Text, Field(alias="sectionId")]
    default: JsonValue = None


class DashboardBody(Body):
    """POST /api/dashboard."""

    name: Text
    description: str | None
    collection_id: Id
    parameters: list[ParameterBody]


class TabBody(Body):
    """A tab; a negative id makes one."""

    id: int
    name: Text


class MappingBody(Body):
    """A filter's way into a card. Without the card's id the server ignores it without a word."""

    parameter_id: Text
    card_id: Id
    target: Clause


class ClickEnd(Body):
    """Where a value that was clicked comes from, or goes to."""

    id: Text
    type: Literal["column", "variable"]
    name: Text | None = None


class ClickMapping(Body):
    """One value that a click hands on."""

    id: Text
    source: ClickEnd
    target: ClickEnd


class ClickBody(Body):
    """A click that opens a card."""

    type: Literal["link"]
    link_type: Annotated[Literal["question"], Field(alias="linkType")]
    target_id: Annotated[Id, Field(alias="targetId")]
    parameter_mapping: Annotated[dict[str, ClickMapping], Field(alias="parameterMapping")]


class DashcardBody(Body):
    """A tile; a negative id makes one. `card_id` is null where it is words."""

    id: int
    card_id: Id | None
    dashboard_tab_id: int | None
    row: Annotated[int, Field(ge=0)]
    col: Annotated[int, Field(ge=0, le=23)]
    size_x: Annotated[int, Field(ge=1, le=24)]
    size_y: Annotated[int, Field(ge=1)]
    parameter_mappings: list[MappingBody]
    visualization_settings: Settings
    series: list[JsonValue] = Field(default_factory=list, max_length=0)


class DashboardChange(DashboardBody):
    """PUT /api/dashboard/:id: tiles and tabs that are not in it are removed."""

    tabs: list[TabBody]
    dashcards: list[DashcardBody]
    archived: bool


class RecipientDetails(Body):
    """An address."""

    value: Text


class AlertRecipient(Body):
    """Whom an alert reaches: an address, as it stands."""

    type: Literal["notification-recipient/raw-value"]
    details: RecipientDetails


class AlertHandler(Body):
    """How an alert is sent."""

    id: Id | None = None
    channel_type: Literal["channel/email"]
    active: bool
    recipients: Annotated[list[AlertRecipient], Field(min_length=1)]


class AlertSchedule(Body):
    """When an alert looks."""

    id: Id | None = None
    type: Literal["notification-subscription/cron"]
    cron_schedule: Annotated[str, Field(pattern=r"^\S+( \S+){6}$")]
    ui_display_type: Literal["cron/builder"]


class AlertPayload(Body):
    """What an alert looks at."""

    id: Id | None = None
    card_id: Id
    send_condition: Literal["goal_above", "goal_below", "has_result"]
    send_once: bool


class AlertBody(Body):
    """POST /api/notification, and PUT /api/notification/:id with the ids of what is there, or it is made anew."""

    id: Id | None = None
    payload_type: Literal["notification/card"]
    payload: AlertPayload
    subscriptions: Annotated[list[AlertSchedule], Field(min_length=1, max_length=1)]
    handlers: Annotated[list[AlertHandler], Field(min_length=1, max_length=1)]
    active: bool


class AlertArchive(Body):
    """PUT /api/notification/:id of what is put away: as it is there, but no longer active."""

    id: Id
    payload_type: Literal["notification/card"]
    payload: Settings
    subscriptions: list[Settings]
    handlers: list[Settings]
    active: Literal[False]


class MailRecipient(Body):
    """Whom a subscription reaches."""

    email: Text


class MailChannel(Body):
    """How and when a subscription is sent."""

    id: Id | None = None
    channel_type: Literal["email"]
    enabled: bool
    schedule_type: Literal["daily", "weekly"]
    schedule_hour: Annotated[int, Field(ge=0, le=23)]
    schedule_day: Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"] | None
    schedule_frame: None = None
    details: Settings
    recipients: Annotated[list[MailRecipient], Field(min_length=1)]


class SentCard(Body):
    """A tile that a subscription sends."""

    id: Id
    dashboard_card_id: Id
    include_csv: bool
    include_xls: bool


class SubscriptionBody(Body):
    """POST /api/pulse."""

    name: Text
    dashboard_id: Id
    cards: Annotated[list[SentCard], Field(min_length=1)]
    channels: Annotated[list[MailChannel], Field(min_length=1, max_length=1)]
    skip_if_empty: bool
    parameters: list[JsonValue]


class SubscriptionChange(Body):
    """PUT /api/pulse/:id: what is left out falls back to the server's defaults, so nothing is."""

    name: Text
    cards: list[SentCard]
    channels: list[MailChannel]
    skip_if_empty: bool
    parameters: list[JsonValue]
    archived: bool


class SubscriptionArchive(Body):
    """PUT /api/pulse/:id of what is put away: as it is there, but archived."""

    name: Text
    cards: list[Settings]
    channels: list[Settings]
    skip_if_empty: bool
    parameters: list[Settings]
    archived: Literal[True]


class GroupBody(Body):
    """POST /api/permissions/group and PUT /api/permissions/group/:id."""

    name: Text


class CollectionGraph(Body):
    """PUT /api/collection/graph: only the groups that are named change. `revision` is that of what was read."""

    revision: int
    groups: dict[str, dict[str, Literal["none", "read"]]]


class DatabaseAccess(Body):
    """What a group may do with a connection besides looking at what others saved."""

    view_data: Annotated[Literal["unrestricted"], Field(alias="view-data")]
    create_queries: Annotated[Literal["no"], Field(alias="create-queries")]


class DatabaseGraph(Body):
    """PUT /api/permissions/graph: only the groups that are named change."""

    revision: int
    groups: dict[str, dict[str, DatabaseAccess]]


class EntityIds(Body):
    """POST /api/eid-translation/translate, which changes nothing."""

    entity_ids: dict[Literal["card"], list[EntityId]]


class Run(Body):
    """POST /api/card/:id/query."""

    parameters: list[JsonValue]


class Nothing(Body):
    """POST /api/database/:id/sync_schema."""
