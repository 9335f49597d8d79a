from gnomon.scores import anomaly, cuts

SEED = 20260105


def model(dbt, session):
    clock, previous = cuts.read_clock(dbt.ref("int_build__clock").df())
    features = dbt.ref("feat_creator__daily")
    after = previous if dbt.is_incremental else None
    if after is not None:
        features = features.filter(f"as_of_at > timestamp '{anomaly.first_read(after)}'")
    return anomaly.score(features.df(), clock, seed=SEED, after=after)
