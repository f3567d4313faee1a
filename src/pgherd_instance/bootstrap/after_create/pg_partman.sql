-- What belongs to the extension, wherever it is; other things in the same schema are none of its business.
DO $partman$
DECLARE
    home regnamespace;
    member record;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'part_man') THEN
        CREATE ROLE part_man NOLOGIN;
    END IF;
    SELECT extnamespace INTO home FROM pg_catalog.pg_extension WHERE extname = 'pg_partman';
    EXECUTE pg_catalog.format('GRANT USAGE ON SCHEMA %s TO part_man', home);
    FOR member IN
        SELECT classid, objid FROM pg_catalog.pg_depend JOIN pg_catalog.pg_extension AS e ON e.oid = refobjid
        WHERE refclassid = 'pg_catalog.pg_extension'::regclass AND extname = 'pg_partman' AND deptype = 'e'
    LOOP
        IF member.classid = 'pg_catalog.pg_proc'::regclass THEN
            EXECUTE pg_catalog.format('GRANT EXECUTE ON ROUTINE %s TO part_man', member.objid::regprocedure);
        ELSIF EXISTS (SELECT FROM pg_catalog.pg_class WHERE oid = member.objid AND relkind IN ('r', 'v'))
            AND member.classid = 'pg_catalog.pg_class'::regclass
        THEN
            EXECUTE pg_catalog.format('GRANT ALL ON TABLE %s TO part_man', member.objid::regclass);
        END IF;
    END LOOP;
    GRANT part_man TO admin WITH ADMIN OPTION;
END
$partman$;
