-- Runs once, when the container's Postgres is new: a database each for Metabase itself and for the serving copy, and the
-- login under which Metabase reads the copy and nothing else.
create database metabase;
create database bi;
create role gnomon_reader nologin;
create role metabase_reads login password 'for-a-try-only' in role gnomon_reader;
