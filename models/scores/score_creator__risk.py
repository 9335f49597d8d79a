from gnomon.scores import cuts, risk


def model(dbt, session):
    _, previous = cuts.read_clock(dbt.ref("int_build__clock").df())
    features = dbt.ref("feat_creator__daily")
    if dbt.is_incremental and previous is not None:
        features = features.filter(f"as_of_at > timestamp '{previous}'")
    return risk.apply(features.df(), dbt.ref("score_creator__risk_runs").df())
