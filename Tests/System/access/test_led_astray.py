"""What a reader could have the daemon look up for him by names that he chooses."""

import os
import tempfile

from reading import python

OWNER = 1000

# Maps b/l/x, which then is deleted, while l leads to where VICTIM works; says what the tree tells of the mapping.
ASTRAY = """
import mmap, re
mount, folder, victim = (os.fsdecode(arg) for arg in args)
os.setgroups([]), os.setresgid(1000, 1000, 1000), os.setresuid(1000, 1000, 1000)
os.makedirs(f"{folder}/b/l")
with open(f"{folder}/b/l/x", "w+b") as file:
    file.write(bytes(4096))
    file.flush()
    page = mmap.mmap(file.fileno(), 4096, mmap.MAP_SHARED)
os.link(f"{folder}/b/l/x", f"{folder}/d/x (deleted)")
os.unlink(f"{folder}/b/l/x")
os.rmdir(f"{folder}/b/l")
os.symlink(f"/proc/{victim}/cwd", f"{folder}/b/l")
lines = open("/proc/self/maps").read().splitlines()
start, end = next(line.split()[0].split("-") for line in lines if line.endswith("/x (deleted)"))
try:
    os.readlink(f"/proc/{victim}/cwd")
    hidden = False
except PermissionError:
    hidden = True
text = open(f"{mount}/self/vma/{start.lstrip('0')}-{end.lstrip('0')}/info").read()
result = hidden, re.findall("^(?:Deleted|Name): .*", text, re.M)
"""


def test_name_of_a_mapping_does_not_lead_where_its_owner_may_not_look(mount, spawn, workspace):
    """Through `/proc/PID/cwd` in a path the tree would tell where a process of root's works."""
    shared, said = mount("-o", "allow_other,max_age=0"), []
    folder = tempfile.mkdtemp(prefix="astray-", dir=workspace)
    os.chmod(folder, 0o777)
    os.mkdir(f"{folder}/d")
    os.chmod(f"{folder}/d", 0o777)
    for place in (f"{folder}/d", "/"):
        victim = spawn(["sleep", "60"], cwd=place)
        hidden, facts = python(ASTRAY, shared.path, folder, str(victim.pid))
        assert hidden and len(facts) == 2
        said.append(facts)
        for name in (f"{folder}/d/x (deleted)", f"{folder}/b/l"):
            os.unlink(name)
        os.rmdir(f"{folder}/b")
    assert said[0] == said[1]
