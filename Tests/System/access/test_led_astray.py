"""What a reader could have the daemon look up for him by names that he chooses."""

import os
import tempfile

from reading import told

OWNER = 1000



def test_name_of_a_mapping_does_not_lead_where_its_owner_may_not_look(mount, spawn, workspace):
    """Through `/proc/PID/cwd` in a path the tree would tell where a process of root's works."""
    shared, said = mount("-o", "allow_other,max_age=0"), []
    folder = tempfile.mkdtemp(prefix="astray-", dir=workspace)
    os.chmod(folder, 0o777)
    os.mkdir(f"{folder}/d")
    os.chmod(f"{folder}/d", 0o777)
    for place in (f"{folder}/d", "/"):
        victim = spawn(["sleep", "60"], cwd=place)
        hidden, facts = told("led_astray.py", shared.path, folder, str(victim.pid))
        assert hidden and len(facts) == 2
        said.append(facts)
        for name in (f"{folder}/d/x (deleted)", f"{folder}/b/l"):
            os.unlink(name)
        os.rmdir(f"{folder}/b")
    assert said[0] == said[1]
