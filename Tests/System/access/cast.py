"""Who reads and who is looked at, as steps of identity.h."""

import os

from identities import CAPLESS, NOBODY, OTHER, OWNER, ROOT, Identity, mask

# The group that `gid=` of a /proc with hidepid names; some readers are in it.
TRUSTED = 4242


def root_without(*names):
    return [f"caps=~{mask(*names):x}"]


DAC = ("dac_override", "dac_read_search")


class Programs:
    """Copies of a program that take on an identity when they are executed."""

    def __init__(self, program):
        self.plain = program
        self.setuid_root = self._copy("-setuid-root", 0, 0, 0o4755)
        self.setuid_other = self._copy("-setuid-1001", 1001, 1001, 0o4755)
        self.setgid_other = self._copy("-setgid-1001", 0, 1001, 0o2755)

    def _copy(self, mark, uid, gid, mode):
        copy = self.plain + mark
        with open(self.plain, "rb") as source, open(copy, "wb") as target:
            target.write(source.read())
        os.chown(copy, uid, gid)
        os.chmod(copy, mode)
        return copy


def readers(programs, jail):
    """A dictionary NAME -> steps."""
    plain = OWNER.steps
    return {
        "root": ROOT.steps,
        "root-ptrace": root_without("sys_ptrace"),
        "root-admin": root_without("sys_admin"),
        "root-dac": root_without(*DAC),
        "root-ptrace-dac": root_without("sys_ptrace", *DAC),
        "root-ptrace-admin-perfmon": root_without("sys_ptrace", "sys_admin", "perfmon"),
        "root-without-capabilities": CAPLESS.steps,
        "root-with-ptrace-alone": Identity(caps=("sys_ptrace",)).steps,
        "root-of-group-1000": ["gid=1000"],
        "1000": plain,
        "1000-of-group-1001": Identity(1000, gid=1001).steps,
        "1000-of-group-0": Identity(1000, gid=0).steps,
        "1000-in-groups": Identity(1000, groups=(0, 1001, TRUSTED)).steps,
        "1000-of-trusted-group": Identity(1000, gid=TRUSTED).steps,
        "1001": OTHER.steps,
        "1001-in-trusted-group": Identity(1001, groups=(TRUSTED,)).steps,
        "nobody": NOBODY.steps,
        "1000+ptrace": Identity(1000, caps=("sys_ptrace",)).steps,
        "1000+dac": Identity(1000, caps=("dac_read_search",)).steps,
        "1000+ptrace+dac": Identity(1000, caps=("sys_ptrace", "dac_read_search")).steps,
        "1000+perfmon": Identity(1000, caps=("perfmon",)).steps,
        "1000+perfmon+dac": Identity(1000, caps=("perfmon", "dac_read_search")).steps,
        "1000+admin": Identity(1000, caps=("sys_admin",)).steps,
        "1000+admin+dac": Identity(1000, caps=("sys_admin", "dac_read_search")).steps,
        "1000+checkpoint": Identity(1000, caps=("checkpoint_restore",)).steps,
        "1000+net_raw": Identity(1000, caps=("net_raw",)).steps,
        "1000+setuid": Identity(1000, caps=("setuid",)).steps,
        "1001+ptrace+admin+dac": Identity(1001, caps=("sys_ptrace", "sys_admin", *DAC)).steps,
        "setuid-root": [*plain, f"exec={programs.setuid_root}"],
        "setuid-root-lowered": [*plain, f"exec={programs.setuid_root}", "uid=1000,1000,0"],
        "setuid-root-dropped": [*plain, f"exec={programs.setuid_root}", "uid=1000"],
        "setuid-1001": [*plain, f"exec={programs.setuid_other}"],
        "setuid-1001-dropped": [*plain, f"exec={programs.setuid_other}", "uid=1000"],
        "setgid-1001": [*plain, f"exec={programs.setgid_other}"],
        "fsuid-1000": ["fsuid=1000"],
        "user-namespace-of-1000": [*plain, "userns=0:1000"],
        "user-namespace-of-1000-executed": [*plain, "userns=0:1000", f"exec={programs.plain}"],
        "user-namespace-of-root": ["rootns=0:1000:1", "gid=0", "uid=0"],
        "user-namespace-of-root-as-1000": ["rootns=0:0:65536", *plain],
        "pid-namespace-root": ["pidns"],
        "pid-namespace-1000": ["pidns", *plain],
        "pid-and-user-namespace": [*plain, "userns=1000:1000", "pidns"],
        "mount-namespace-1000": ["mntns", *plain],
        "no-new-privileges-1000": Identity(1000, nnp=True).steps,
        "no-new-privileges-1000+perfmon": Identity(1000, caps=("perfmon",), nnp=True).steps,
        "no-new-privileges-1000+admin": Identity(1000, caps=("sys_admin", "dac_read_search"), nnp=True).steps,
        "no-new-privileges-root": Identity(nnp=True).steps,
        "landlock-1000": [*plain, "nnp", "landlock"],
        "landlock-1000+ptrace": [*Identity(1000, caps=("sys_ptrace", "dac_read_search")).steps, "nnp", "landlock"],
        "landlock-root": ["nnp", "landlock"],
        "chroot-root": [f"chroot={jail}"],
        "chroot-1000": [f"chroot={jail}", *plain],
        "thread-1000-of-root": ["thread", "groups=", "gid=1000", "uid=1000"],
    }


def subjects(programs, jail):
    """A dictionary NAME -> (END of subject.c, steps)."""
    plain = OWNER.steps

    def executed(program):
        """The word after the program is its END."""
        return [f"exec={program}", "alone"]

    return {
        "root": ("alone", ROOT.steps),
        "1000": ("alone", plain),
        "1001": ("alone", OTHER.steps),
        "1000-of-group-1001": ("alone", Identity(1000, gid=1001).steps),
        "1000-of-trusted-group": ("alone", Identity(1000, gid=TRUSTED).steps),
        "root-not-dumpable": ("alone", ["dumpable=0"]),
        "1000-not-dumpable": ("alone", [*OWNER.steps, "dumpable=0"]),
        "1001-not-dumpable": ("alone", [*OTHER.steps, "dumpable=0"]),
        "setuid-root": ("alone", [*plain, *executed(programs.setuid_root)]),
        "setuid-root-dropped": ("alone", [*plain, *executed(programs.setuid_root), "uid=1000"]),
        "setuid-1001": ("alone", [*plain, *executed(programs.setuid_other)]),
        "setgid-1001": ("alone", [*plain, *executed(programs.setgid_other)]),
        "1000+net_raw": ("alone", Identity(1000, caps=("net_raw",)).steps),
        "1000+ptrace": ("alone", Identity(1000, caps=("sys_ptrace",)).steps),
        "1000+perfmon+dac": ("alone", Identity(1000, caps=("perfmon", "dac_read_search")).steps),
        "1000-saved-1001": ("alone", ["groups=", "gid=1000", "uid=1000,1000,1001", "dumpable=1"]),
        "root-lowered-to-1000": ("alone", ["uid=0,1000,0", "dumpable=1"]),
        "root-without-capabilities": ("alone", [*CAPLESS.steps, "dumpable=1"]),
        "user-namespace-of-root": ("alone", ["rootns=0:1000:1", "gid=0", "uid=0", "dumpable=1", *executed(programs.plain)]),
        "user-namespace-of-root-as-1000": ("alone", ["rootns=0:0:65536", *plain, *executed(programs.plain)]),
        "user-namespace-of-root-not-executed": ("alone", ["rootns=0:0:65536", *plain]),
        "user-namespace-of-1000": ("alone", [*plain, "userns=0:1000", *executed(programs.plain)]),
        "user-namespace-of-1000-not-executed": ("alone", [*plain, "userns=0:1000"]),
        "pid-namespace-1000": ("alone", ["pidns", *plain]),
        "threads-1000": ("threads", plain),
        "leaderless-1000": ("leaderless", plain),
        "zombie-1000": ("zombie", plain),
        "landlock-1000": ("alone", [*plain, "nnp", "landlock"]),
        "chroot-1000": ("alone", [f"chroot={jail}", *plain]),
    }
