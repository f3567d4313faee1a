-- Functions with which members of admin make and drop roles without being able to become superuser themselves.
CREATE SCHEMA IF NOT EXISTS user_management;
GRANT USAGE ON SCHEMA user_management TO admin;

CREATE OR REPLACE FUNCTION user_management.random_password(length int) RETURNS text
LANGUAGE sql VOLATILE SET search_path = pg_catalog AS $function$
    -- Each uuid brings 122 bits from the server's strong random source; 8 characters are taken from each hash.
    SELECT pg_catalog.substr(
        pg_catalog.string_agg(
            pg_catalog.substr(
                pg_catalog.translate(
                    pg_catalog.encode(pg_catalog.sha256(pg_catalog.uuid_send(pg_catalog.gen_random_uuid())), 'base64'),
                    E'+/=\n', ''),
                1, 8),
            ''),
        1, length)
    FROM pg_catalog.generate_series(0, length / 8);
$function$;

-- A privileged role is managed by a superuser alone; otherwise every member of admin could take it over.
CREATE OR REPLACE FUNCTION user_management.refuse_privileged(rolename text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog AS $function$
BEGIN
    IF EXISTS (
        SELECT FROM pg_catalog.pg_roles
        WHERE rolname = rolename AND (rolsuper OR rolreplication OR rolbypassrls OR rolname LIKE 'pg\_%')
    ) THEN
        RAISE EXCEPTION 'role "%" is privileged and can be changed by a superuser only', rolename
            USING ERRCODE = 'insufficient_privilege';
    END IF;
END
$function$;

CREATE OR REPLACE FUNCTION user_management.create_application_user(username text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $function$
DECLARE
    password text := user_management.random_password(20);
BEGIN
    EXECUTE pg_catalog.format('CREATE ROLE %I LOGIN PASSWORD %L', username, password);
    RETURN password;
END
$function$;

CREATE OR REPLACE FUNCTION user_management.create_user(username text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $function$
BEGIN
    EXECUTE pg_catalog.format('CREATE ROLE %I LOGIN IN ROLE %I, admin', username, {human_role_name});
    EXECUTE pg_catalog.format('ALTER ROLE %I SET log_statement TO ''all''', username);
END
$function$;

CREATE OR REPLACE FUNCTION user_management.create_role(rolename text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $function$
BEGIN
    EXECUTE pg_catalog.format('CREATE ROLE %I ADMIN admin', rolename);
END
$function$;

CREATE OR REPLACE FUNCTION user_management.create_application_user_or_change_password(username text, password text)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $function$
BEGIN
    PERFORM user_management.refuse_privileged(username);
    IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = username) THEN
        EXECUTE pg_catalog.format('ALTER ROLE %I PASSWORD %L', username, password);
    ELSE
        EXECUTE pg_catalog.format('CREATE ROLE %I LOGIN PASSWORD %L', username, password);
    END IF;
END
$function$;

CREATE OR REPLACE FUNCTION user_management.revoke_admin(username text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $function$
BEGIN
    EXECUTE pg_catalog.format('REVOKE admin FROM %I', username);
END
$function$;

CREATE OR REPLACE FUNCTION user_management.drop_role(rolename text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $function$
BEGIN
    PERFORM user_management.refuse_privileged(rolename);
    EXECUTE pg_catalog.format('DROP ROLE %I', rolename);
END
$function$;

CREATE OR REPLACE FUNCTION user_management.drop_user(username text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS $function$
    SELECT user_management.drop_role(username);
$function$;

CREATE OR REPLACE FUNCTION user_management.terminate_backend(pid int) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $function$
BEGIN
    IF EXISTS (
        SELECT FROM pg_catalog.pg_stat_activity AS activity JOIN pg_catalog.pg_roles ON usesysid = pg_roles.oid
        WHERE activity.pid = terminate_backend.pid AND rolsuper
    ) THEN
        RAISE EXCEPTION 'backend % belongs to a superuser', pid USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN pg_catalog.pg_terminate_backend(pid);
END
$function$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA user_management FROM PUBLIC;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA user_management TO admin;
GRANT SELECT ON pg_catalog.pg_stat_activity TO admin;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_switch_wal() TO admin;
