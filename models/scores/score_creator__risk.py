from gnomon.scores import risk


def model(dbt, session):
    features = dbt.ref("feat_creator__daily").df()
    runs = dbt.ref("score_creator__risk_runs").df()
    return risk.apply(features, runs)
