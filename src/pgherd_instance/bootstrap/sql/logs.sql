-- The server's CSV logs as tables; the columns are those of the CSV format of the server's version.
CREATE SERVER IF NOT EXISTS pglog FOREIGN DATA WRAPPER file_fdw;
CREATE TABLE IF NOT EXISTS public.postgres_log (
    log_time timestamp(3) with time zone,
    user_name text,
    database_name text,
    process_id integer,
    connection_from text,
    session_id text NOT NULL,
    session_line_num bigint NOT NULL,
    command_tag text,
    session_start_time timestamp with time zone,
    virtual_transaction_id text,
    transaction_id bigint,
    error_severity text,
    sql_state_code text,
    message text,
    detail text,
    hint text,
    internal_query text,
    internal_query_pos integer,
    context text,
    query text,
    query_pos integer,
    location text,
    application_name text,
    CONSTRAINT postgres_log_check CHECK (false) NO INHERIT
);
ALTER TABLE public.postgres_log ADD COLUMN IF NOT EXISTS backend_type text;
ALTER TABLE public.postgres_log ADD COLUMN IF NOT EXISTS leader_pid integer;
ALTER TABLE public.postgres_log ADD COLUMN IF NOT EXISTS query_id bigint;
GRANT SELECT ON public.postgres_log TO admin;
