"""Who reads and who is looked at, as steps of identity.h."""

import os

CAPABILITIES = {
    "dac_override": 1, "dac_read_search": 2, "setuid": 7, "net_raw": 13, "sys_chroot": 18, "sys_ptrace": 19, "sys_admin": 21,
    "perfmon": 38, "checkpoint_restore": 40,
}  # fmt: skip

# The group that `gid=` of a /proc with hidepid names; some readers are in it.
TRUSTED = 4242


def mask(*names):
    return format(sum(1 << CAPABILITIES[name] for name in names), "x")


def user(uid, *steps, gid=None, groups=""):
    """A plain user, who may be inspected by himself as after an execve."""
    return [f"groups={groups}", f"gid={uid if gid is None else gid}", f"uid={uid}", "dumpable=1", *steps]


def with_capabilities(uid, *names):
    return ["groups=", f"gid={uid}", "keepcaps", f"uid={uid}", f"caps={mask(*names)}", "dumpable=1"]


def root_without(*names):
    return [f"caps=~{mask(*names)}"]


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
    plain = user(1000)
    return {
        "root": [],
        "root-ptrace": root_without("sys_ptrace"),
        "root-admin": root_without("sys_admin"),
        "root-dac": root_without(*DAC),
        "root-ptrace-dac": root_without("sys_ptrace", *DAC),
        "root-ptrace-admin-perfmon": root_without("sys_ptrace", "sys_admin", "perfmon"),
        "root-without-capabilities": ["caps=0"],
        "root-with-ptrace-alone": [f"caps={mask('sys_ptrace')}"],
        "root-of-group-1000": ["gid=1000"],
        "1000": plain,
        "1000-of-group-1001": user(1000, gid=1001),
        "1000-of-group-0": user(1000, gid=0),
        "1000-in-groups": user(1000, groups=f"0,1001,{TRUSTED}"),
        "1000-of-trusted-group": user(1000, gid=TRUSTED),
        "1001": user(1001),
        "1001-in-trusted-group": user(1001, groups=TRUSTED),
        "nobody": user(65534),
        "1000+ptrace": with_capabilities(1000, "sys_ptrace"),
        "1000+dac": with_capabilities(1000, "dac_read_search"),
        "1000+ptrace+dac": with_capabilities(1000, "sys_ptrace", "dac_read_search"),
        "1000+perfmon": with_capabilities(1000, "perfmon"),
        "1000+perfmon+dac": with_capabilities(1000, "perfmon", "dac_read_search"),
        "1000+admin": with_capabilities(1000, "sys_admin"),
        "1000+admin+dac": with_capabilities(1000, "sys_admin", "dac_read_search"),
        "1000+checkpoint": with_capabilities(1000, "checkpoint_restore"),
        "1000+net_raw": with_capabilities(1000, "net_raw"),
        "1000+setuid": with_capabilities(1000, "setuid"),
        "1001+ptrace+admin+dac": with_capabilities(1001, "sys_ptrace", "sys_admin", *DAC),
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
        "user-namespace-of-root-as-1000": ["rootns=0:0:65536", *user(1000)],
        "pid-namespace-root": ["pidns"],
        "pid-namespace-1000": ["pidns", *plain],
        "pid-and-user-namespace": [*plain, "userns=1000:1000", "pidns"],
        "mount-namespace-1000": ["mntns", *plain],
        "no-new-privileges-1000": [*plain, "nnp"],
        "no-new-privileges-1000+perfmon": [*with_capabilities(1000, "perfmon"), "nnp"],
        "no-new-privileges-1000+admin": [*with_capabilities(1000, "sys_admin", "dac_read_search"), "nnp"],
        "no-new-privileges-root": ["nnp"],
        "landlock-1000": [*plain, "nnp", "landlock"],
        "landlock-1000+ptrace": [*with_capabilities(1000, "sys_ptrace", "dac_read_search"), "nnp", "landlock"],
        "landlock-root": ["nnp", "landlock"],
        "chroot-root": [f"chroot={jail}"],
        "chroot-1000": [f"chroot={jail}", *plain],
        "thread-1000-of-root": ["thread", "groups=", "gid=1000", "uid=1000"],
    }


def subjects(programs, jail):
    """A dictionary NAME -> (END of subject.c, steps)."""
    plain = user(1000)

    def executed(program):
        """The word after the program is its END."""
        return [f"exec={program}", "alone"]

    return {
        "root": ("alone", []),
        "1000": ("alone", plain),
        "1001": ("alone", user(1001)),
        "1000-of-group-1001": ("alone", user(1000, gid=1001)),
        "1000-of-trusted-group": ("alone", user(1000, gid=TRUSTED)),
        "root-not-dumpable": ("alone", ["dumpable=0"]),
        "1000-not-dumpable": ("alone", user(1000, "dumpable=0")),
        "1001-not-dumpable": ("alone", user(1001, "dumpable=0")),
        "setuid-root": ("alone", [*plain, *executed(programs.setuid_root)]),
        "setuid-root-dropped": ("alone", [*plain, *executed(programs.setuid_root), "uid=1000"]),
        "setuid-1001": ("alone", [*plain, *executed(programs.setuid_other)]),
        "setgid-1001": ("alone", [*plain, *executed(programs.setgid_other)]),
        "1000+net_raw": ("alone", with_capabilities(1000, "net_raw")),
        "1000+ptrace": ("alone", with_capabilities(1000, "sys_ptrace")),
        "1000+perfmon+dac": ("alone", with_capabilities(1000, "perfmon", "dac_read_search")),
        "1000-saved-1001": ("alone", ["groups=", "gid=1000", "uid=1000,1000,1001", "dumpable=1"]),
        "root-lowered-to-1000": ("alone", ["uid=0,1000,0", "dumpable=1"]),
        "root-without-capabilities": ("alone", ["caps=0", "dumpable=1"]),
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
