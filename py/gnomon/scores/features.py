"""The creator features that models read, and the words in which a reason names each of them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from gnomon.core.errors import DefinitionError, join_names

KEY = ("creator_id", "as_of_at")
PEER = "creator_tier"


@dataclass(frozen=True)
class Feature:
    """A feature by its column name.

    `words` holds {value} and {peers}. `kind` is count, rate (0 to 1), days or nats.
    A record feature tells of decisions and reports; the others tell of behaviour.
    """

    name: str
    words: str
    kind: str = "count"
    is_record: bool = False

    def say(self, value: float, peers: float) -> str:
        """Return the reason in words, for one creator's value and its peers' median."""
        write = _WRITERS[self.kind]
        return self.words.format(value=write(value), peers=write(peers))


def _write_number(value: float) -> str:
    return f"{value:.0f}" if value == round(value) else f"{value:.1f}"


def _write_rate(value: float) -> str:
    return f"{value:.0%}" if value >= 0.1 or value == 0 else f"{value:.1%}"


_WRITERS: dict[str, Callable[[float], str]] = {
    "count": _write_number,
    "rate": _write_rate,
    "days": _write_number,
    "nats": lambda value: f"{value:.2f}",
}

FEATURES = (
    Feature("post_count_1d", "posts in 1 day: {value}, peers {peers}"),
    Feature("post_count_7d", "posts in 7 days: {value}, peers {peers}"),
    Feature("post_count_28d", "posts in 28 days: {value}, peers {peers}"),
    Feature("post_hour_entropy_28d", "spread of posting hours (0 is always one hour): {value}, peers {peers}", "nats"),
    Feature("duplicate_caption_rate_28d", "captions that another post has too: {value}, peers {peers}", "rate"),
    Feature("duplicate_audio_rate_28d", "audio that another post has too: {value}, peers {peers}", "rate"),
    Feature("link_rate_28d", "posts with a link: {value}, peers {peers}", "rate"),
    Feature("product_link_rate_28d", "posts with a product: {value}, peers {peers}", "rate"),
    Feature("aigc_declared_rate_28d", "posts declared AI-made: {value}, peers {peers}", "rate"),
    Feature("view_count_7d", "views in 7 days: {value}, peers {peers}"),
    Feature("short_play_rate_7d", "views left within 3 seconds: {value}, peers {peers}", "rate"),
    Feature("like_rate_7d", "likes per view: {value}, peers {peers}", "rate"),
    Feature("comment_rate_7d", "comments per view: {value}, peers {peers}", "rate"),
    Feature("share_rate_7d", "shares per view: {value}, peers {peers}", "rate"),
    Feature("not_interested_rate_7d", "impressions marked not interested: {value}, peers {peers}", "rate"),
    Feature("follower_gain_7d", "followers gained in 7 days: {value}, peers {peers}"),
    Feature("account_age_days", "age of the account in days: {value}, peers {peers}", "days"),
    Feature("shared_device_account_count", "other accounts on its devices: {value}, peers {peers}"),
    Feature("report_count_28d", "user reports in 28 days: {value}, peers {peers}", is_record=True),
    Feature("violation_count_90d", "standing violations in 90 days: {value}, peers {peers}", is_record=True),
    Feature("appeal_count_90d", "appeals in 90 days: {value}, peers {peers}", is_record=True),
    Feature("appeal_overturned_count_90d", "appeals won in 90 days: {value}, peers {peers}", is_record=True),
)


def require_columns(held: Collection[str], columns: Collection[str], model: str) -> None:
    """Raise DefinitionError naming every column of `columns` that is not among those that `model` holds."""
    missing = [name for name in columns if name not in held]
    if missing:
        raise DefinitionError(
            f"{model}: the score needs {join_names(missing, 'and')}, which the model does not have. "
            f"It has {join_names(sorted(held), 'and')}. Add the columns to the model, "
            "or take them out of gnomon/scores/features.py."
        )
