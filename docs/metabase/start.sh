#!/bin/sh
# What the container `gnomon` of docker-compose.yml does: build, publish, copy, apply, and serve.
set -eu
export GNOMON_RAW=${GNOMON_RAW:-data/sample}
dbt build
gnomon publish
gnomon publish --to postgres
python docs/metabase/first_user.py "$METABASE_URL"
gnomon metabase apply --url "$METABASE_URL" --shown-as "$METABASE_SEES_COPY_AT"
echo "Metabase: http://localhost:3000 as $GNOMON_METABASE_USER; the API: http://localhost:8321, with a key" >&2
exec gnomon serve --host 0.0.0.0
