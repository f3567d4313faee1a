-- A user sees own jobs; members of cron_admin also see the jobs of other members who are not superusers.
DROP POLICY IF EXISTS cron_job_policy ON cron.job;
CREATE POLICY cron_job_policy ON cron.job USING (
    username = CURRENT_USER
    OR (pg_has_role(CURRENT_USER, 'cron_admin', 'MEMBER')
        AND EXISTS (SELECT FROM pg_catalog.pg_roles
                    WHERE rolname = username AND NOT rolsuper AND pg_has_role(rolname, 'cron_admin', 'MEMBER'))));
DROP POLICY IF EXISTS cron_job_run_details_policy ON cron.job_run_details;
CREATE POLICY cron_job_run_details_policy ON cron.job_run_details USING (
    username = CURRENT_USER
    OR (pg_has_role(CURRENT_USER, 'cron_admin', 'MEMBER')
        AND EXISTS (SELECT FROM pg_catalog.pg_roles
                    WHERE rolname = username AND NOT rolsuper AND pg_has_role(rolname, 'cron_admin', 'MEMBER'))));

DO $rename$
BEGIN
    IF pg_catalog.to_regprocedure('cron.schedule_in_database(text, text, text)') IS NULL
        AND EXISTS (SELECT FROM pg_catalog.pg_proc AS p WHERE p.oid = pg_catalog.to_regprocedure('cron.schedule(text, text, text)')
                    AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend WHERE objid = p.oid AND deptype = 'e'))
    THEN
        ALTER FUNCTION cron.schedule(text, text, text) RENAME TO schedule_in_database;
    END IF;
END
$rename$;

CREATE OR REPLACE FUNCTION cron.schedule_in_database(p_schedule text, p_database text, p_command text) RETURNS bigint
LANGUAGE plpgsql AS $function$
DECLARE
    made bigint;
BEGIN
    IF NOT (SELECT rolcanlogin FROM pg_catalog.pg_roles WHERE rolname = CURRENT_USER) THEN
        RAISE EXCEPTION 'role % cannot log in, so it cannot run a job', CURRENT_USER;
    END IF;
    SELECT cron.schedule(p_schedule, p_command) INTO made;
    UPDATE cron.job SET database = p_database, nodename = '' WHERE jobid = made;
    RETURN made;
END
$function$;

REVOKE SELECT ON cron.job, cron.job_run_details FROM PUBLIC;
GRANT SELECT ON cron.job, cron.job_run_details TO cron_admin;
GRANT UPDATE (database, nodename) ON cron.job TO cron_admin;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA cron FROM PUBLIC;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA cron TO cron_admin;
REVOKE USAGE ON SCHEMA cron FROM PUBLIC;
GRANT USAGE ON SCHEMA cron TO cron_admin;
