-- Roles and databases of the suite. Run by a superuser; running it again changes passwords and
-- repairs privileges, nothing else.
--
--   psql -X -v owner_password=… -v web_api_password=… -v upload_password=… \
--        -v notification_password=… -v mailing_list_sync_password=… -f bootstrap.sql
--
-- or, so that no process list shows them, with the environment variables OWNER_PASSWORD,
-- WEB_API_PASSWORD, UPLOAD_PASSWORD, NOTIFICATION_PASSWORD and MAILING_LIST_SYNC_PASSWORD.
--
-- relais_owner owns every object and runs the migrations. Each service has a role of its own that
-- reads and writes rows of its own database and no other, cannot change the schema, and may read the
-- outbox as a stream (REPLICATION). The server needs wal_level = logical.
\set ON_ERROR_STOP on
\set QUIET on
\getenv owner_password OWNER_PASSWORD
\getenv web_api_password WEB_API_PASSWORD
\getenv upload_password UPLOAD_PASSWORD
\getenv notification_password NOTIFICATION_PASSWORD
\getenv mailing_list_sync_password MAILING_LIST_SYNC_PASSWORD

select 'create role relais_owner login' where not exists
  (select from pg_roles where rolname = 'relais_owner') \gexec
alter role relais_owner with login nosuperuser nocreatedb nocreaterole noreplication
  password :'owner_password';

\set service web_api
\set service_password :web_api_password
\ir service.sql

\set service upload
\set service_password :upload_password
\ir service.sql

\set service notification
\set service_password :notification_password
\ir service.sql

\set service mailing_list_sync
\set service_password :mailing_list_sync_password
\ir service.sql
