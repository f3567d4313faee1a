"""Where the extensions for the wheels' majors come from.

The packages of a Debian release fit the major that the release has: an extension needs the same major and build options
that no distribution changes, and a server refuses one that does not fit. Other majors are compiled against the wheel's
own headers, from upstream archives as Debian keeps them, pinned by SHA-256.
"""

from __future__ import annotations

from dataclasses import dataclass

RELEASES = {15: "bookworm", 17: "trixie", 18: "forky"}
"""Major → the Debian release that has it. Forky is not stable yet: what it gives changes from build to build."""
OLDER = (14, 15, 16)


@dataclass(frozen=True)
class Source:
    """An upstream archive: the extension in it, Debian's source package, the release whose list names that, and what it
    is compiled for.

    ``options`` are variables of make; ``cmake`` says that the project wants that first; ``patched``: Debian's changes
    mend what upstream's version must not be run with."""

    extension: str
    name: str
    release: str
    version: str
    sha256: str
    majors: tuple[int, ...] = OLDER
    options: tuple[str, ...] = ()
    cmake: tuple[str, ...] = ()
    patched: bool = False


DIGESTS = {
    "extra_window_functions": "63f340f099352c539bb9065deddef8354fb8d88928c85cda4bd171a6d10a9467",
    "first_last_agg": "5dd0f82b0a08932e6a19d3f98b5390a9a5c2993b0b397a6bd78f0ac553e0884e",
    "pg_dirtyread": "c14983d7a0da70a0568ddb81dd9bade4f5db3fbb2fb664e3c553ffa37721344e",
    "pg_partman": "462464d83389ef20256b982960646a1572341c0beb09eeff32b4a69f04e31b76",
    "pg_permissions": "1adb7e8791cc572fc391cd892aeb170c4350a33cbf7065dd5bc462845c07fc35",
    "pg_repack": "9439892c0b7c7575677f61133e5692f3e8cfd5c6688c5db4fb202320c668c745",
    "pgextwlist": "449cf6a277bcd590b59c151d24ae670e86fd9bde32f30925163e452653f59be4",
    "pgl_ddl_deploy": "e8b43c2549e586eb24365926c5c128749c0ec13cf8609b744ceabb2d14ef4620",
    "pglogical": "46f70ccfb0433cddfe81d3b02432c8d41a2962e1a76dc9489080c87e8fe62e94",
    "pglogical_ticker": "11cbdf8d11b992a816d4422f17911507dee65b6826768f1de128cc877a62d2b2",
    "pgq": "0022098a36a8944f4a495e1f070bd69eb769f7e8f44596893aac9a2ba765d041",
    "pgq_node": "d2e330f3aef74827e18fa93b141810b57d8e88e51198b8b5a79a20f527541dfa",
    "plprofiler": "9158e7bb551a83866899f8ef586ba947c44886bd965ea1fad5d101d78f276b63",
    "plproxy": "9b65d918fc7027a529868a1a30cced974c1fdbf91c0f1d25f757b9f8ec80353f",
    "set_user": "87db7f1baee9149bfb88547415644d0855bf975ad22d3d17de7e01901e35850c",
    "pllua": "7b3b4b5d749a2d1e040739c0eaad4b5b37b677866ead7f6a6e349f840c5eb4c3",
    "timescaledb": "09fd11191768c220b071f61a108df9bd1df5522fbe4e7c2229f30f69b195454a",
    "vector": "867a2c328d4928a5a9d6f052cd3bc78c7d60228a9b914ad32aa3db88e9de27b0",
}
"""SHA-256 of the archives."""
LUA = ("LUA=lua5.3", "LUAC=luac5.3", "LUA_INCDIR=/usr/include/lua5.3", "LUALIB=-llua5.3")
TIMESCALE = ("-DAPACHE_ONLY=1", "-DUSE_TELEMETRY=OFF", "-DREGRESS_CHECKS=OFF", "-DGENERATE_DOWNGRADE_SCRIPT=OFF")
SOURCES = (
    Source("extra_window_functions", "extra-window-functions", "trixie", "1.0", DIGESTS["extra_window_functions"]),
    Source("first_last_agg", "first-last-agg", "trixie", "0.1.4-4-gd63ea3b", DIGESTS["first_last_agg"], (*OLDER, 18)),
    Source("pg_dirtyread", "pg-dirtyread", "trixie", "2.7", DIGESTS["pg_dirtyread"]),
    Source("pg_partman", "pg-partman", "trixie", "5.2.4", DIGESTS["pg_partman"]),
    Source("pg_permissions", "pg-permissions", "trixie", "1.3", DIGESTS["pg_permissions"]),
    Source("pg_repack", "pg-repack", "forky", "1.5.3", DIGESTS["pg_repack"]),
    # CVE-2023-39417.
    Source("pgextwlist", "pgextwlist", "trixie", "1.19", DIGESTS["pgextwlist"], patched=True),
    Source("pgl_ddl_deploy", "pgl-ddl-deploy", "trixie", "2.2.1", DIGESTS["pgl_ddl_deploy"]),
    Source("pglogical", "pglogical", "trixie", "2.4.5", DIGESTS["pglogical"]),
    Source("pglogical_ticker", "pglogical-ticker", "trixie", "1.4.1", DIGESTS["pglogical_ticker"]),
    Source("pgq", "pgq", "trixie", "3.5.1", DIGESTS["pgq"]),
    Source("pgq_node", "pgq-node", "trixie", "3.5", DIGESTS["pgq_node"]),
    Source("plprofiler", "plprofiler", "trixie", "4.2.5", DIGESTS["plprofiler"]),
    Source("plproxy", "postgresql-plproxy", "trixie", "2.11.0", DIGESTS["plproxy"]),
    Source("set_user", "postgresql-set-user", "forky", "4.2.0", DIGESTS["set_user"]),
    # Its own default is whatever the building machine's processor can do.
    Source("vector", "pgvector", "trixie", "0.8.0", DIGESTS["vector"], options=("OPTFLAGS=",)),
    Source("pllua", "postgresql-pllua", "trixie", "2.0.12", DIGESTS["pllua"], options=LUA),
    # The edition under the Apache licence, as the reference's; nothing calls home.
    Source("timescaledb", "timescaledb", "trixie", "2.19.3+dfsg", DIGESTS["timescaledb"], cmake=TIMESCALE),
)
TOOLS = (
    "bison", "cmake", "dpkg-dev", "flex", "gcc", "libc6-dev", "libkrb5-dev", "liblua5.3-dev", "liblz4-dev",
    "libreadline-dev", "libssl-dev", "libxml2-dev", "libxslt1-dev", "libzstd-dev", "lua5.3", "make", "zlib1g-dev",
)  # fmt: skip
"""Debian's packages that compiling needs."""
LEFT_OUT = ("postgis",)
"""Not unpacked: its libraries are larger than all else together, and each release has others."""
