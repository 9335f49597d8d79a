#!/bin/sh
# Everything that `gnomon metabase` does, once, against a real server:
#
#     docs/metabase/smoke.sh http://localhost:3000
#
# It applies, applies again (which must do nothing), runs every card, and destroys. Only what an apply made is put away.
# GNOMON_COPY, GNOMON_METABASE_KEY (or _USER and _PASSWORD) and GNOMON_METABASE_DATABASE_PASSWORD are read as always;
# METABASE_OPTIONS goes to plan and apply, such as `--shown-as postgres://metabase_reads@postgres/bi`.
set -eu
url=$1
options=${METABASE_OPTIONS:-}

say() { echo "== $*" >&2; }

# shellcheck disable=SC2086
{
    say "apply"
    gnomon metabase apply --url "$url" $options
    say "plan: nothing is left to do"
    gnomon metabase plan --url "$url" $options
    say "apply again: nothing is sent"
    gnomon metabase apply --url "$url" $options 2>&1 | grep -x 'nothing was to do\.'
}
say "run every card"
gnomon metabase run --url "$url"
say "destroy"
gnomon metabase destroy --url "$url"
say "destroy again: nothing is there"
gnomon metabase destroy --url "$url" --dry-run
say "all of it went well"
