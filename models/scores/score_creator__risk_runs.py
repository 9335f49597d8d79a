from gnomon.scores import risk

SEED = 20260105


def model(dbt, session):
    clock = dbt.ref("int_build__clock").df()
    features = dbt.ref("feat_creator__daily").df()
    violations = dbt.ref("int_violations__dated").df()
    return risk.train(features, violations, clock["as_of_at"][0].to_pydatetime(), seed=SEED)
