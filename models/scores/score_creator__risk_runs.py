from gnomon.scores import cuts, risk

SEED = 20260105


def model(dbt, session):
    clock, previous = cuts.read_clock(dbt.ref("int_build__clock").df())
    features = dbt.ref("feat_creator__daily")
    violations = dbt.ref("int_violations__dated").df()
    earlier, first_at = None, None
    if dbt.is_incremental and previous is not None:
        earlier = session.table(str(dbt.this)).df()
        first_at = features.min("as_of_at").fetchone()[0]
        if (span := risk.find_read_span(earlier, first_at, clock, seed=SEED)) is not None:
            features = features.filter(f"as_of_at > timestamp '{span[0]}' and as_of_at <= timestamp '{span[1]}'")
    return risk.train(features.df(), violations, clock, seed=SEED, earlier=earlier, first_at=first_at)
