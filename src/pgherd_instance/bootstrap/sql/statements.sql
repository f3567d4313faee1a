-- pg_stat_statements for monitoring, in whatever schema the extension is.
DO $statements$
DECLARE
    home name;
    reset regprocedure;
BEGIN
    SELECT nspname INTO STRICT home
    FROM pg_catalog.pg_extension JOIN pg_catalog.pg_namespace AS n ON n.oid = extnamespace
    WHERE extname = 'pg_stat_statements';
    EXECUTE pg_catalog.format(
        'CREATE OR REPLACE FUNCTION metric_helpers.pg_stat_statements(showtext boolean) RETURNS SETOF %1$I.pg_stat_statements'
        ' LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog'
        ' AS $body$ SELECT * FROM %1$I.pg_stat_statements(showtext) $body$', home);
    EXECUTE 'CREATE OR REPLACE VIEW metric_helpers.pg_stat_statements AS'
        ' SELECT * FROM metric_helpers.pg_stat_statements(true)';
    EXECUTE 'REVOKE ALL ON FUNCTION metric_helpers.pg_stat_statements(boolean) FROM PUBLIC';
    EXECUTE 'GRANT EXECUTE ON FUNCTION metric_helpers.pg_stat_statements(boolean) TO admin, robot_zmon';
    EXECUTE 'GRANT SELECT ON metric_helpers.pg_stat_statements TO admin, robot_zmon';
    FOR reset IN
        SELECT p.oid FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_namespace AS n ON n.oid = pronamespace
        WHERE proname = 'pg_stat_statements_reset' AND nspname = home
    LOOP
        EXECUTE pg_catalog.format('GRANT EXECUTE ON FUNCTION %s TO admin', reset);
    END LOOP;
END
$statements$;
