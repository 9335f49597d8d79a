"""The conversion of KuaiRand as SQL on DuckDB, one thought per step, in the order they run.

exposure_rows, video_rows → *_texts (distinct rows) → *_judged (typed, each with the reason against
it, if any) → videos, exposures (what is kept) → one query per raw table. Beijing is UTC+8 all
year, so its days are found by adding 8 hours; nothing depends on a time-zone database.
"""

from __future__ import annotations

PREPARE = """
create macro whole(value) as
    case when regexp_full_match(value, '-?[0-9]+([.]0+)?') then try_cast(value as bigint) end;

create macro number(value) as
    case when isfinite(try_cast(value as double)) then try_cast(value as double) end;

-- One spelling for one identifier: '7' and '7.0' are the same author.
create macro spell(value) as coalesce(cast(whole(value) as varchar), value);

-- The end of the Beijing day in which a UTC moment lies, in UTC: always 16:00.
create macro end_beijing_day(moment) as
    date_trunc('day', moment + interval 8 hour) + interval 16 hour;

create table video_texts as
select *, count(*) as copies
from video_rows
group by all
order by all;

create table exposure_texts as
select * exclude (author_id), min(author_id) as author_id, count(*) as copies
from exposure_rows
group by all
order by all;
"""

# Two different rows of one video contradict each other, so neither is believed.
JUDGE_VIDEOS = """
create table videos_judged as
with typed as (
    select
        rowid as row_id,
        whole(video_id) as video_id,
        whole(author_id) as author_id,
        whole(music_id) as music_id,
        coalesce(video_type = 'AD', false) as is_ad,
        nullif(nullif(trim(split_part(tag, ',', 1)), ''), 'unknown') as category,
        video_duration is null or coalesce(number(video_duration) >= 0, false) as has_duration_or_none,
        cast(round(number(video_duration)) as bigint) as duration_ms,
        try_cast(upload_dt as date) as upload_date,
        whole(counts) as cell_count,
        counts is null and show_cnt is null as has_no_counters,
        number(show_cnt) as impression_mean,
        number(play_cnt) as view_mean,
        number(complete_play_cnt) as complete_play_mean,
        number(like_cnt) as like_mean,
        number(comment_cnt) as comment_mean,
        number(share_cnt) as share_mean,
        number(report_cnt) as report_mean,
        number(reduce_similar_cnt) as not_interested_mean,
        count(*) over (partition by whole(video_id)) as row_count
    from video_texts
),

counted as (
    select
        *,
        coalesce(
            cell_count >= 1 and impression_mean >= 0 and view_mean >= 0 and complete_play_mean >= 0
            and like_mean >= 0 and comment_mean >= 0 and share_mean >= 0 and report_mean >= 0
            and not_interested_mean >= 0,
            false
        ) as has_counters
    from typed
)

select
    *,
    case
        when coalesce(video_id < 0, true) then 'bad_video_id'
        when row_count > 1 then 'conflicting_rows'
        when coalesce(author_id < 0, true) then 'bad_author_id'
        when coalesce(upload_date not between date '2010-01-01' and date '2100-01-01', true) then 'bad_upload_dt'
        when not has_duration_or_none then 'bad_video_duration'
        when not has_no_counters and not has_counters then 'bad_counter'
    end as reason
from counted;

-- An upload day is a Beijing day: it starts at 16:00 UTC of the day before, and ends at 16:00 UTC.
create table videos as
select
    *,
    cast(upload_date as timestamp) - interval 8 hour as occurred_at,
    cast(upload_date as timestamp) + interval 16 hour as ingested_at
from videos_judged
where reason is null;
"""

# A video that only the log knows has the log's author, unless the log names two.
JUDGE_EXPOSURES = """
create table exposures_judged as
with typed as (
    select
        rowid as row_id,
        whole(user_id) as user_id,
        whole(video_id) as video_id,
        whole(author_id) as log_author_id,
        whole(time_ms) as time_ms,
        whole(play_time_ms) as play_time_ms,
        whole(duration_ms) as duration_ms,
        whole(tab) as tab,
        whole(is_like) as is_like,
        whole(is_comment) as is_comment,
        whole(is_forward) as is_forward,
        whole(is_follow) as is_follow,
        whole(is_profile_enter) as is_profile_enter,
        whole(is_hate) as is_hate
    from exposure_texts
),

authored as (
    select
        typed.*,
        coalesce(
            videos.author_id,
            case
                when min(typed.log_author_id) over same_video = max(typed.log_author_id) over same_video
                    then min(typed.log_author_id) over same_video
            end
        ) as author_id,
        coalesce(videos.is_ad, false) as is_ad,
        case
            when typed.time_ms between epoch_ms(timestamp '2010-01-01') and epoch_ms(timestamp '2100-01-01')
                then epoch_ms(typed.time_ms)
        end as occurred_at
    from typed
    left join videos on typed.video_id = videos.video_id
    window same_video as (partition by typed.video_id)
),

faulted as (
    select
        *,
        case
            when coalesce(user_id < 0, true) then 'bad_user_id'
            when coalesce(video_id < 0, true) then 'bad_video_id'
            when occurred_at is null then 'bad_time_ms'
            when coalesce(play_time_ms < 0, true) then 'bad_play_time_ms'
            when coalesce(duration_ms < 0, true) then 'bad_duration_ms'
            when coalesce(
                not (
                    is_like in (0, 1) and is_comment in (0, 1) and is_forward in (0, 1)
                    and is_follow in (0, 1) and is_profile_enter in (0, 1) and is_hate in (0, 1)
                ),
                true
            ) then 'bad_flag'
            when coalesce(author_id < 0, true) then 'no_author'
        end as fault
    from authored
),

-- Of the rows of one user, video and millisecond, the longest play stands first; row_id settles ties.
ranked as (
    select
        *,
        row_number() over (
            same_key
            order by play_time_ms desc, is_like + is_comment + is_forward + is_follow + is_profile_enter desc, row_id
        ) as place,
        max(play_time_ms) over same_key as longest_play_ms
    from faulted
    window same_key as (partition by user_id, video_id, time_ms, fault is null)
)

select
    *,
    case
        when fault is not null then fault
        when place > 1 and play_time_ms < longest_play_ms then 'shorter_play'
        when place > 1 then 'repeated_key'
    end as reason
from ranked;

create table exposures as
select *, end_beijing_day(occurred_at) as ingested_at
from exposures_judged
where reason is null;
"""

# Every identifier that is written anywhere, once: (domain, value).
IDENTIFIERS = """
select 'viewer', spell(user_id) from exposure_texts where user_id is not null
union
select 'creator', spell(author_id) from exposure_texts where author_id is not null
union
select 'creator', spell(author_id) from video_texts where author_id is not null
union
select 'content', spell(video_id) from exposure_texts where video_id is not null
union
select 'content', spell(video_id) from video_texts where video_id is not null
union
select 'audio', spell(music_id) from video_texts where music_id is not null
union
select 'exposure', concat_ws(':', user_id, video_id, time_ms) from exposures
"""

# An identifier becomes the hash that Python made of it.
LOOK_UP_HASHES = """
create macro hashed(kind, identifier) as (
    select hashes.hash
    from hashes
    where hashes.domain = kind and hashes.value = cast(identifier as varchar)
);
"""

VIDEO_QUARANTINE = """
select
    video_texts.* exclude (copies) replace (
        hashed('content', spell(video_texts.video_id)) as video_id,
        hashed('creator', spell(video_texts.author_id)) as author_id,
        hashed('audio', spell(video_texts.music_id)) as music_id
    ),
    videos_judged.reason
from videos_judged
inner join video_texts on videos_judged.row_id = video_texts.rowid
where videos_judged.reason is not null
order by videos_judged.row_id
"""

EXPOSURE_QUARANTINE = """
select
    exposure_texts.* exclude (copies) replace (
        hashed('viewer', spell(exposure_texts.user_id)) as user_id,
        hashed('content', spell(exposure_texts.video_id)) as video_id,
        hashed('creator', spell(exposure_texts.author_id)) as author_id
    ),
    exposures_judged.reason
from exposures_judged
inner join exposure_texts on exposures_judged.row_id = exposure_texts.rowid
where exposures_judged.reason is not null
order by exposures_judged.row_id
"""

ACCOUNTS = """
with sightings as (
    select 'creator' as account_kind, author_id as source_id, occurred_at, ingested_at from videos
    union all
    select 'creator', author_id, occurred_at, ingested_at from exposures
    union all
    select 'viewer', user_id, occurred_at, ingested_at from exposures
),

accounts as (
    select account_kind, source_id, min(occurred_at) as occurred_at, min(ingested_at) as ingested_at
    from sightings
    group by account_kind, source_id
)

select hashed(account_kind, source_id) as account_id, account_kind, occurred_at, ingested_at
from accounts
order by account_id
"""

# Music 0 is the source's word for none; as a fingerprint it would tie strangers together.
CONTENT = """
with log_only as (
    select
        video_id,
        min(author_id) as author_id,
        nullif(max(duration_ms), 0) as duration_ms,
        min(occurred_at) as occurred_at,
        min(ingested_at) as ingested_at
    from exposures
    where video_id not in (select videos.video_id from videos)
    group by video_id
),

content as (
    select video_id, author_id, category, nullif(music_id, 0) as music_id, duration_ms, occurred_at, ingested_at
    from videos
    union all
    select video_id, author_id, null, null, duration_ms, occurred_at, ingested_at
    from log_only
)

select
    hashed('content', video_id) as content_id,
    hashed('creator', author_id) as creator_id,
    'video' as content_kind,
    category,
    hashed('audio', music_id) as audio_hash,
    duration_ms,
    occurred_at,
    ingested_at
from content
order by content_id
"""

ENGAGEMENT = """
with acts as (
    select exposures.*, act.event_type
    from exposures
    cross join unnest([
        'impression', 'view', 'like', 'comment', 'share', 'follow', 'profile_visit', 'not_interested'
    ]) as act (event_type)
    where case act.event_type
        when 'impression' then true
        when 'view' then exposures.play_time_ms > 0
        when 'like' then exposures.is_like = 1
        when 'comment' then exposures.is_comment = 1
        when 'share' then exposures.is_forward = 1
        when 'follow' then exposures.is_follow = 1
        when 'profile_visit' then exposures.is_profile_enter = 1
        when 'not_interested' then exposures.is_hate = 1
    end
)

select
    -- The exposure's hash is keyed, so what is made of it is keyed too.
    left(
        sha256(concat_ws(':', hashed('exposure', concat_ws(':', user_id, video_id, time_ms)), event_type)), 24
    ) as engagement_id,
    hashed('viewer', user_id) as viewer_id,
    hashed('content', video_id) as content_id,
    event_type,
    case when tab in (0, 1) then 'feed' else 'other' end as surface,
    case
        when duration_ms = 0 then 'zero_duration'
        when play_time_ms > 5 * duration_ms then 'overlong_play'
    end as source_flag,
    case when event_type = 'view' then play_time_ms end as watch_ms,
    is_ad,
    false as is_owner,
    occurred_at,
    ingested_at
from acts
order by occurred_at, engagement_id
"""

FOLLOWS = """
select
    hashed('viewer', user_id) as follower_id,
    hashed('creator', author_id) as creator_id,
    'follow' as action,
    occurred_at,
    min(ingested_at) as ingested_at
from exposures
where is_follow = 1
group by user_id, author_id, occurred_at
order by occurred_at, follower_id, creator_id
"""

# The source states no window for its means, so the totals are dated when the last log day arrived.
CONTENT_COUNTERS = """
with newest as (
    select max(ingested_at) as arrived_at from exposures
)

select
    hashed('content', videos.video_id) as content_id,
    videos.cell_count,
    round(videos.impression_mean * videos.cell_count, 6) as impression_count,
    round(videos.view_mean * videos.cell_count, 6) as view_count,
    round(videos.complete_play_mean * videos.cell_count, 6) as complete_play_count,
    round(videos.like_mean * videos.cell_count, 6) as like_count,
    round(videos.comment_mean * videos.cell_count, 6) as comment_count,
    round(videos.share_mean * videos.cell_count, 6) as share_count,
    round(videos.report_mean * videos.cell_count, 6) as report_count,
    round(videos.not_interested_mean * videos.cell_count, 6) as not_interested_count,
    newest.arrived_at as occurred_at,
    newest.arrived_at as ingested_at
from videos
cross join newest
where videos.has_counters
order by content_id
"""

OUTPUTS = {
    "accounts": ACCOUNTS,
    "content": CONTENT,
    "engagement": ENGAGEMENT,
    "content_counters": CONTENT_COUNTERS,
    "follows": FOLLOWS,
}

NEWEST_ARRIVAL = """
select max(ingested_at)
from (select ingested_at from videos union all select ingested_at from exposures)
"""
