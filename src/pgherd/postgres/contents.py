"""Reading one database: the poolers' lookup function and the publications of change data capture."""

from __future__ import annotations

from pgherd.desired.pooler_lookup import FUNCTION, WantedLookup
from pgherd.facts.contents import Contents, FunctionFacts, LookupFacts, PublicationFacts
from pgherd.postgres.connection import Connection, fetch

# Rights are read from the access lists: what a role may do as a superuser, or through PUBLIC, does not count.
_LOOKUP = """
SELECT EXISTS (SELECT FROM aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a
                 JOIN pg_roles r ON r.oid = a.grantee
                WHERE a.privilege_type = 'USAGE' AND r.rolname = %s::text),
       l.lanname, p.prosrc, p.prosecdef, coalesce(p.proconfig, '{}'),
       concat(pg_get_function_arguments(p.oid), ' -> ', pg_get_function_result(p.oid)),
       o.rolsuper,
       EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a WHERE a.grantee = 0),
       EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
                 JOIN pg_roles r ON r.oid = a.grantee WHERE r.rolname = %s::text)
  FROM pg_namespace n
  LEFT JOIN pg_proc p
    ON p.pronamespace = n.oid AND p.proname = %s::text AND p.pronargs = 1 AND p.proargtypes[0] = 'text'::regtype
  LEFT JOIN pg_language l ON l.oid = p.prolang
  LEFT JOIN pg_roles o ON o.oid = p.proowner
 WHERE n.nspname = %s::text
"""

# Those of a superuser whose name says that change data capture made them (spec lifecycle 4.12).
_PUBLICATIONS = r"""
SELECT p.pubname,
       ARRAY(SELECT ARRAY[n.nspname, c.relname]::text[]
               FROM pg_publication_rel r
               JOIN pg_class c ON c.oid = r.prrelid
               JOIN pg_namespace n ON n.oid = c.relnamespace
              WHERE r.prpubid = p.oid),
       ARRAY_REMOVE(ARRAY[CASE WHEN p.pubinsert THEN 'insert' END, CASE WHEN p.pubupdate THEN 'update' END,
                          CASE WHEN p.pubdelete THEN 'delete' END, CASE WHEN p.pubtruncate THEN 'truncate' END], NULL)
  FROM pg_publication p JOIN pg_roles o ON o.oid = p.pubowner
 WHERE p.pubname LIKE 'fes\_%%' AND o.rolsuper
"""


async def read_contents(conn: Connection, lookup: WantedLookup | None, *, publications: bool) -> Contents:
    """Read what was asked for in the database of the connection. Needs a superuser."""
    found = {}
    if publications:
        for name, tables, kinds in await fetch(conn, _PUBLICATIONS):
            found[name] = PublicationFacts(frozenset((schema, table) for schema, table in tables), frozenset(kinds))
    return Contents(None if lookup is None else await _read_lookup(conn, lookup), found)


async def _read_lookup(conn: Connection, wanted: WantedLookup) -> LookupFacts:
    rows = await fetch(conn, _LOOKUP, wanted.role, wanted.role, FUNCTION, wanted.schema)
    if not rows:
        return LookupFacts()
    usage, language, source, definer, settings, signature, trusted, public, callable_ = rows[0]
    if language is None:
        return LookupFacts(usage)
    function = FunctionFacts(
        language=language,
        source=source,
        definer=definer,
        settings=tuple(settings),
        signature=signature,
        trusted=trusted,
        public=public,
        callable=callable_,
    )
    return LookupFacts(usage, function)
