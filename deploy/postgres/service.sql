-- One service: its role and its database (both :service), made by bootstrap.sql as a superuser.
select format('create role %I login', :'service') where not exists
  (select from pg_roles where rolname = :'service') \gexec
alter role :"service" with login replication nosuperuser nocreatedb nocreaterole
  password :'service_password';

select format('create database %I owner relais_owner template template0 encoding ''UTF8'''
              ' locale ''C.UTF-8''', :'service')
where not exists (select from pg_database where datname = :'service') \gexec

revoke all on database :"service" from public;
grant connect on database :"service" to :"service";

\connect :"service"
revoke create on schema public from public;
grant usage on schema public to :"service";
alter default privileges for role relais_owner in schema public
  grant select, insert, update, delete on tables to :"service";
alter default privileges for role relais_owner in schema public
  grant usage, select on sequences to :"service";
-- Some functions run with the owner's rights: they are for this service only, not for everybody.
alter default privileges for role relais_owner revoke execute on functions from public;
alter default privileges for role relais_owner in schema public
  grant execute on functions to :"service";
