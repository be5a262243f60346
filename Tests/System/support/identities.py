"""Who reads, mounts or is looked at: ids, groups and capabilities."""

import dataclasses

CAPABILITIES = {
    "dac_override": 1, "dac_read_search": 2, "setgid": 6, "setuid": 7, "net_raw": 13, "sys_chroot": 18, "sys_ptrace": 19,
    "sys_admin": 21, "perfmon": 38, "checkpoint_restore": 40,
}  # fmt: skip


def mask(*names):
    """The word of these capabilities, as a number."""
    return sum(1 << CAPABILITIES[name] for name in names)


@dataclasses.dataclass(frozen=True)
class Identity:
    """An identity, taken on in one of two ways.

    `[*identity, "cat", path]` is a command that runs another under it. `identity.steps` are arguments of a program that takes
    it on by itself and executes nothing (targets/identity.h), for what does not outlive an exec.
    """

    # None: as it is.
    uid: int | None = None
    # The number of the user by default.
    gid: int | None = None
    groups: tuple = ()
    # All that it has; None: as it is, which is none for a plain user.
    caps: tuple | None = None
    nnp: bool = False

    @property
    def group(self):
        return self.uid if self.gid is None else self.gid

    def __iter__(self):
        """The words of a command that starts another."""
        words = []
        if self.uid is not None:
            groups = ["--groups", ",".join(map(str, self.groups))] if self.groups else ["--clear-groups"]
            words += ["--reuid", str(self.uid), "--regid", str(self.group), *groups]
        if self.caps:
            kept = ",".join(["-all", *(f"+{cap}" for cap in self.caps)])
            words += [f"--inh-caps={kept}", f"--ambient-caps={kept}"]
        elif self.caps is not None:
            words += ["--inh-caps=-all", "--bounding-set=-all"]
        if self.nnp:
            words.append("--no-new-privs")
        return iter(["setpriv", *words, "--"] if words else [])

    @property
    def steps(self):
        """A plain user may be inspected by its own user, as after an exec."""
        caps = [] if self.caps is None else [f"caps={mask(*self.caps):x}"]
        nnp = ["nnp"] if self.nnp else []
        if self.uid is None:
            return [*caps, *nnp]
        ids = [f"groups={','.join(map(str, self.groups))}", f"gid={self.group}", *(["keepcaps"] if caps else []), f"uid={self.uid}"]
        return [*ids, *caps, "dumpable=1", *nnp]


def in_user_namespace(under):
    """A command; what it starts is root in a user namespace of its own, which UNDER has made."""
    return [*under, "unshare", "--user", "--map-root-user", "--"]


ROOT = Identity()
# Root by its ids alone.
CAPLESS = Identity(caps=())
OWNER = Identity(1000)
OTHER = Identity(1001)
NOBODY = Identity(65534)
