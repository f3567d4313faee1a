DO $hypopg$
DECLARE
    listing text;
BEGIN
    SELECT pg_catalog.format('%I.%I', nspname, relname) INTO listing
    FROM pg_catalog.pg_class JOIN pg_catalog.pg_namespace AS n ON n.oid = relnamespace
    WHERE relname = 'hypopg_list_indexes' AND relkind = 'v';
    IF listing IS NOT NULL THEN
        EXECUTE 'GRANT SELECT ON ' || listing || ' TO admin';
    END IF;
END
$hypopg$;
