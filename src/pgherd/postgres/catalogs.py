"""Reading the catalogues: two queries for the roles that matter, one for the databases.

Only the roles asked for are read (lifecycle.md 4.6): a database may hold thousands that are none of our business.
"""

from __future__ import annotations

from collections.abc import Iterable

from pgherd.facts.catalogs import ROLE_FLAGS, Catalogs, DatabaseFacts, Membership, RoleFacts
from pgherd.facts.verifiers import Verifier
from pgherd.postgres.connection import Connection, fetch

_SERVER = "SELECT current_setting('server_version_num')::int, pg_is_in_recovery()"

# The order of the flags is that of ROLE_FLAGS.
_ROLES = """
SELECT r.rolname,
       ARRAY[r.rolsuper, r.rolinherit, r.rolcreaterole, r.rolcreatedb, r.rolcanlogin, r.rolreplication, r.rolbypassrls],
       r.rolpassword, r.rolconnlimit, coalesce(r.rolvaliduntil::text, ''),
       coalesce(s.setconfig, '{}')
  FROM pg_authid r
  LEFT JOIN pg_db_role_setting s ON s.setrole = r.oid AND s.setdatabase = 0
 WHERE r.rolname = ANY (%s::text[])
 ORDER BY r.rolname
"""

# All groups, also those through other groups; the third column tells the direct ones by a value that is not null. From
# version 16 on one membership may have been granted by several roles, so there may be several rows.
_MEMBERSHIPS = """
WITH RECURSIVE inside (member, granted) AS (
    SELECT m.member, m.roleid FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member
     WHERE r.rolname = ANY (%s::text[])
    UNION
    SELECT i.member, m.roleid FROM inside i JOIN pg_auth_members m ON m.member = i.granted
)
SELECT member.rolname, granted.rolname, bool_or(direct.admin_option)
  FROM inside i
  JOIN pg_roles member ON member.oid = i.member
  JOIN pg_roles granted ON granted.oid = i.granted
  LEFT JOIN pg_auth_members direct ON direct.member = i.member AND direct.roleid = i.granted
 GROUP BY member.rolname, granted.rolname
 ORDER BY member.rolname, granted.rolname
"""

# A connection limit of -2 marks a database whose DROP was interrupted: nobody can enter it.
_DATABASES = """
SELECT d.datname, r.rolname, d.datistemplate, d.datallowconn AND d.datconnlimit <> -2
  FROM pg_database d JOIN pg_roles r ON r.oid = d.datdba
 ORDER BY d.datname
"""


async def read_catalogs(conn: Connection, role_names: Iterable[str]) -> Catalogs:
    """Version, all databases, and those of the named roles that exist. Needs a superuser (``pg_authid``)."""
    names = sorted(set(role_names))
    (server_version, in_recovery) = (await fetch(conn, _SERVER))[0]
    return Catalogs(
        server_version=server_version,
        in_recovery=in_recovery,
        roles=await _read_roles(conn, names),
        databases={
            name: DatabaseFacts(name, owner, is_template, allows)
            for name, owner, is_template, allows in await fetch(conn, _DATABASES)
        },
    )


async def _read_roles(conn: Connection, names: list[str]) -> dict[str, RoleFacts]:
    direct: dict[str, list[Membership]] = {}
    indirect: dict[str, set[str]] = {}
    for member, group, admin in await fetch(conn, _MEMBERSHIPS, names):
        if admin is None:
            indirect.setdefault(member, set()).add(group)
        else:
            direct.setdefault(member, []).append(Membership(group, admin))
    roles = {}
    for name, flags, verifier, limit, valid_until, settings in await fetch(conn, _ROLES, names):
        roles[name] = RoleFacts(
            name=name,
            flags=frozenset(flag for flag, on in zip(ROLE_FLAGS, flags, strict=True) if on),
            verifier=Verifier(verifier) if verifier else None,
            connection_limit=limit,
            valid_until=valid_until,
            member_of=tuple(direct.get(name, ())),
            inside=frozenset(indirect.get(name, ())),
            # A value may hold "=" itself, a name never does.
            settings=dict(setting.split("=", 1) for setting in settings),
        )
    return roles
