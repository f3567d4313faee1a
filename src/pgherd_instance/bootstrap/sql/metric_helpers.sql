-- Estimates for monitoring. Sizes in bytes, ratios in percent; *_is_na says that statistics are missing.
CREATE SCHEMA IF NOT EXISTS metric_helpers AUTHORIZATION CURRENT_USER;
GRANT USAGE ON SCHEMA metric_helpers TO admin, robot_zmon;

-- A heap row is a line pointer (4), an aligned header (23 and the null bitmap) and its aligned data; a page has a
-- header of 24 bytes. What the table has beyond the pages that its rows need is bloat.
CREATE OR REPLACE FUNCTION metric_helpers.get_table_bloat_approx(
    OUT t_database name, OUT t_schema_name name, OUT t_table_name name, OUT t_real_size numeric,
    OUT t_extra_size double precision, OUT t_extra_ratio double precision, OUT t_fill_factor integer,
    OUT t_bloat_size double precision, OUT t_bloat_ratio double precision, OUT t_is_na boolean
) RETURNS SETOF record
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $function$
    WITH tables AS (
        SELECT c.oid, n.nspname, c.relname, c.reltuples, c.relpages,
            pg_catalog.current_setting('block_size')::numeric AS block,
            coalesce((SELECT option_value::int FROM pg_catalog.pg_options_to_table(c.reloptions)
                      WHERE option_name = 'fillfactor'), 100) AS fill
        FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'm') AND c.relpages > 0 AND c.reltuples >= 0
            AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND c.relpersistence <> 't'
    ), rows AS (
        SELECT t.oid,
            pg_catalog.sum((1 - coalesce(s.null_frac, 0)) * coalesce(s.avg_width, 0)) AS width,
            pg_catalog.bool_or(s.null_frac > 0) AS nullable,
            pg_catalog.count(*) AS columns,
            pg_catalog.count(s.attname) < pg_catalog.count(*) AS is_na
        FROM tables AS t
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
        LEFT JOIN pg_catalog.pg_stats AS s
            ON s.schemaname = t.nspname AND s.tablename = t.relname AND s.attname = a.attname AND NOT s.inherited
        GROUP BY t.oid
    ), needed AS (
        SELECT t.*, r.is_na,
            pg_catalog.ceil(t.reltuples * size / (t.block - 24)) AS pages,
            pg_catalog.ceil(t.reltuples * size / ((t.block - 24) * t.fill / 100)) AS pages_filled
        FROM tables AS t JOIN rows AS r USING (oid),
        LATERAL (SELECT (4
            + pg_catalog.ceil((23 + CASE WHEN r.nullable THEN (r.columns + 7) / 8 ELSE 0 END) / 8.0) * 8
            + pg_catalog.ceil((r.width / 8.0)::numeric) * 8)::double precision AS size) AS row_size
    )
    SELECT pg_catalog.current_database(), nspname, relname, block * relpages,
        (block * greatest(relpages - pages, 0))::double precision,
        (100 * greatest(relpages - pages, 0) / relpages)::double precision,
        fill,
        (block * greatest(relpages - pages_filled, 0))::double precision,
        (100 * greatest(relpages - pages_filled, 0) / relpages)::double precision,
        is_na
    FROM needed;
$function$;

-- A leaf entry of a btree is a line pointer (4), a header of 8 (16 with nulls) and its aligned data; a page loses 24
-- bytes of header and 16 at its end, and is filled to 90 % by default; one page more is the metapage.
CREATE OR REPLACE FUNCTION metric_helpers.get_btree_bloat_approx(
    OUT i_database name, OUT i_schema_name name, OUT i_table_name name, OUT i_index_name name, OUT i_real_size numeric,
    OUT i_extra_size numeric, OUT i_extra_ratio double precision, OUT i_fill_factor integer,
    OUT i_bloat_size double precision, OUT i_bloat_ratio double precision, OUT i_is_na boolean
) RETURNS SETOF record
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $function$
    WITH indexes AS (
        SELECT i.oid, n.nspname, t.relname AS table_name, t.oid AS table_oid, i.relname, i.reltuples, i.relpages, x.indkey,
            pg_catalog.current_setting('block_size')::numeric AS block,
            coalesce((SELECT option_value::int FROM pg_catalog.pg_options_to_table(i.reloptions)
                      WHERE option_name = 'fillfactor'), 90) AS fill
        FROM pg_catalog.pg_index AS x
        JOIN pg_catalog.pg_class AS i ON i.oid = x.indexrelid
        JOIN pg_catalog.pg_class AS t ON t.oid = x.indrelid
        JOIN pg_catalog.pg_namespace AS n ON n.oid = t.relnamespace
        JOIN pg_catalog.pg_am AS m ON m.oid = i.relam AND m.amname = 'btree'
        WHERE i.relpages > 0 AND i.reltuples >= 0 AND i.relkind = 'i'
            AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND t.relpersistence <> 't'
    ), rows AS (
        SELECT x.oid,
            pg_catalog.sum((1 - coalesce(s.null_frac, 0)) * coalesce(s.avg_width, 0)) AS width,
            pg_catalog.bool_or(s.null_frac > 0) AS nullable,
            pg_catalog.count(s.attname) < pg_catalog.count(*) AS is_na
        FROM indexes AS x
        -- Columns have their statistics with the table, expressions with the index.
        CROSS JOIN LATERAL pg_catalog.unnest(x.indkey::int2[]) WITH ORDINALITY AS key (attnum, place)
        JOIN pg_catalog.pg_attribute AS a ON (a.attrelid, a.attnum) = CASE WHEN key.attnum = 0
            THEN (x.oid, key.place::int2) ELSE (x.table_oid, key.attnum) END
        LEFT JOIN pg_catalog.pg_stats AS s ON s.schemaname = x.nspname AND s.attname = a.attname AND NOT s.inherited
            AND s.tablename = CASE WHEN key.attnum = 0 THEN x.relname ELSE x.table_name END
        GROUP BY x.oid
    ), needed AS (
        SELECT x.*, r.is_na,
            1 + pg_catalog.ceil(x.reltuples * size / (x.block - 40)) AS pages,
            1 + pg_catalog.ceil(x.reltuples * size / ((x.block - 40) * x.fill / 100)) AS pages_filled
        FROM indexes AS x JOIN rows AS r USING (oid),
        LATERAL (SELECT (4 + CASE WHEN r.nullable THEN 16 ELSE 8 END
            + pg_catalog.ceil((r.width / 8.0)::numeric) * 8)::double precision AS size) AS entry_size
    )
    SELECT pg_catalog.current_database(), nspname, table_name, relname, block * relpages,
        (block * greatest(relpages - pages, 0)::numeric),
        (100 * greatest(relpages - pages, 0) / relpages)::double precision,
        fill,
        (block * greatest(relpages - pages_filled, 0)::numeric)::double precision,
        (100 * greatest(relpages - pages_filled, 0) / relpages)::double precision,
        is_na
    FROM needed;
$function$;

-- threshold is a part of one (0.8) or, above one, a percentage (80).
CREATE OR REPLACE FUNCTION metric_helpers.get_nearly_exhausted_sequences(
    IN threshold float, OUT schemaname name, OUT sequencename name, OUT seq_percent_used numeric
) RETURNS SETOF record
LANGUAGE sql STABLE SECURITY DEFINER STRICT SET search_path = pg_catalog AS $function$
    SELECT * FROM (
        SELECT schemaname, sequencename,
            pg_catalog.round(100 * CASE WHEN increment_by > 0
                THEN (last_value::numeric - min_value + 1) / (max_value::numeric - min_value + 1)
                ELSE (max_value::numeric - last_value + 1) / (max_value::numeric - min_value + 1) END, 2) AS used
        FROM pg_catalog.pg_sequences WHERE last_value IS NOT NULL AND NOT cycle
    ) AS sequences
    WHERE used >= CASE WHEN threshold > 1 THEN threshold ELSE threshold * 100 END;
$function$;

CREATE OR REPLACE VIEW metric_helpers.table_bloat AS SELECT * FROM metric_helpers.get_table_bloat_approx();
CREATE OR REPLACE VIEW metric_helpers.index_bloat AS SELECT * FROM metric_helpers.get_btree_bloat_approx();
CREATE OR REPLACE VIEW metric_helpers.nearly_exhausted_sequences AS
    SELECT * FROM metric_helpers.get_nearly_exhausted_sequences(0.8);

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA metric_helpers FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA metric_helpers FROM PUBLIC;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA metric_helpers TO admin, robot_zmon;
GRANT SELECT ON ALL TABLES IN SCHEMA metric_helpers TO admin, robot_zmon;
