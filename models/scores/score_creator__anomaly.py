from gnomon.scores import anomaly, cuts

SEED = 20260105


def model(dbt, session):
    clock, previous = cuts.read_clock(dbt.ref("int_build__clock").df())
    after = previous if dbt.is_incremental else None
    return anomaly.score(dbt.ref("feat_creator__daily"), clock, seed=SEED, after=after)
