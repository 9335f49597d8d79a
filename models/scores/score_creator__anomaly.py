from gnomon.scores import anomaly

SEED = 20260105


def model(dbt, session):
    clock = dbt.ref("int_build__clock").df()
    features = dbt.ref("feat_creator__daily").df()
    return anomaly.score(features, clock["as_of_at"][0].to_pydatetime(), seed=SEED)
