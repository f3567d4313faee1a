-- Roles of the whole cluster. The operator's users are members of admin; it has CREATEDB and nothing else.
DO $roles$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['admin', 'cron_admin', 'robot_zmon', {human_role_name}]::text[] LOOP
        IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = wanted) THEN
            EXECUTE pg_catalog.format('CREATE ROLE %I', wanted);
        END IF;
        EXECUTE pg_catalog.format('ALTER ROLE %I NOLOGIN', wanted);
    END LOOP;
END
$roles$;
ALTER ROLE admin CREATEDB NOLOGIN NOCREATEROLE NOSUPERUSER NOREPLICATION NOBYPASSRLS;
GRANT cron_admin TO admin;
