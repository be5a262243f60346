"""Commands that start another one under other credentials: ids, single capabilities, no_new_privs, namespaces."""


def ids(uid, gid=None, caps=(), nnp=False):
    """UID and GID (the same number by default) without groups, and of all capabilities only CAPS."""
    command = ["setpriv", "--reuid", str(uid), "--regid", str(uid if gid is None else gid), "--clear-groups"]
    if caps:
        kept = ",".join(["-all", *(f"+{cap}" for cap in caps)])
        command += [f"--inh-caps={kept}", f"--ambient-caps={kept}"]
    if nnp:
        command.append("--no-new-privs")
    return [*command, "--"]


ROOT = []
OWNER = ids(1000)
OTHER = ids(1001)
NOBODY = ids(65534)
# Root by its ids alone.
CAPLESS = ["setpriv", "--inh-caps=-all", "--bounding-set=-all", "--"]


def in_user_namespace(under):
    """What UNDER starts is root in a user namespace of its own."""
    return [*under, "unshare", "--user", "--map-root-user", "--"]
